// What the supervisor left open for a stage's process: its setup and its statistics page.
#pragma once

#include <reel/stage/stage_setup.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

/// Reads `fd` to its end and closes it. Throws Error{io | protocol}.
[[nodiscard]] StageSetup read_setup(int fd);

/// The page behind `fd`, or one of its own for -1, with this process's pid in it. Throws Error.
[[nodiscard]] StagePageMapping open_page(int fd);

void set_state(StagePage& page, StageState state) noexcept;

}  // namespace reel
