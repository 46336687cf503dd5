// The two clocks Reel uses. Thread-safe; neither enters the kernel where the vDSO serves them.
#pragma once

#include <cstdint>

namespace reel {

/// "No time": a timestamp that is not set. Equal to GStreamer's GST_CLOCK_TIME_NONE when read as unsigned.
inline constexpr std::int64_t kNoTime = -1;

/// Nanoseconds of CLOCK_MONOTONIC: the time base of capture times and latencies, common to all processes of a
/// machine.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

/// Nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME); steps when the clock is set. For names and logs
/// only.
[[nodiscard]] std::int64_t realtime_ns() noexcept;

}  // namespace reel
