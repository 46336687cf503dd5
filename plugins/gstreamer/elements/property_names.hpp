// What Reel's messages call an option, and what the elements call it as their property. Pure.
#pragma once

#include <string>

namespace reel::gst {

/// `message` as it goes onto the bus: max_bytes is max-bytes there, for whoever then sets it.
[[nodiscard]] std::string in_properties(std::string message);

}  // namespace reel::gst
