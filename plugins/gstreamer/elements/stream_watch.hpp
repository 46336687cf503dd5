// What streams there are now, for the device provider. Thread-safe.
#pragma once

#include <vector>

#include "device.hpp"

namespace reel::gst {

/// Of every stream with a living writer that has a format; unreadable ones are left out. Blocks for at most
/// kPatienceMs for each writer that does not answer.
[[nodiscard]] std::vector<DeviceFacts> look_at_streams();
inline constexpr int kPatienceMs = 200;

}  // namespace reel::gst
