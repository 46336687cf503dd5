// What Reel's messages call an option, and what the elements call it as their property. Pure.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace reel::gst {

/// `message` as it goes onto the bus: max_bytes is max-bytes there, for whoever then sets it. What stands in
/// double quotes, and what is part of a longer name or of a path, is somebody's own and stays.
[[nodiscard]] std::string in_properties(std::string message);
/// What `error` says, with its place in front unless that is `stream`, which is named beside it.
[[nodiscard]] std::string in_properties(const std::exception& error, std::string_view stream);

}  // namespace reel::gst
