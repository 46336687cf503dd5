// The clocks: of every time that Reel measures, and of the day. Thread-safe; it does not enter the kernel
// where the vDSO serves it.
#pragma once

#include <cstdint>

namespace reel {

/// "No time": a timestamp that is not set. Equal to GStreamer's GST_CLOCK_TIME_NONE when read as unsigned.
inline constexpr std::int64_t kNoTime = -1;

/// Nanoseconds of CLOCK_MONOTONIC: the time base of capture times and latencies, common to all processes of a
/// machine.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

/// Nanoseconds of CLOCK_REALTIME since 1970: the time of day, for people; it may be set back.
[[nodiscard]] std::int64_t realtime_ns() noexcept;

}  // namespace reel
