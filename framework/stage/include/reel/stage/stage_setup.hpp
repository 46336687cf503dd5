// StageSetup to and from JSON: how a supervisor tells a stage host what to run.
#pragma once

#include <string>
#include <string_view>

#include <reel/stage/run.hpp>

namespace reel {

[[nodiscard]] std::string to_json(const StageSetup& setup);
/// Throws Error{protocol} naming the field.
[[nodiscard]] StageSetup stage_setup_from_json(std::string_view json);

}  // namespace reel
