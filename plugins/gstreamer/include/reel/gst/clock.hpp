// GStreamer's clocks and CLOCK_MONOTONIC, in which Reel's capture times are. Thread-safe.
#pragma once

#include <cstdint>

#include <gst/gst.h>

namespace reel::gst {

/// CLOCK_MONOTONIC minus the time of `clock`, nanoseconds: 0 for GStreamer's default system clock, measured
/// for others (network, audio and PTP clocks drift: measure again from time to time).
[[nodiscard]] std::int64_t monotonic_minus(GstClock* clock) noexcept;

/// CLOCK_MONOTONIC minus running time of an element that has a clock and a base time; kNoTime when it has
/// none. The monotonic_offset_ns of a reel::Segment.
[[nodiscard]] std::int64_t monotonic_offset(GstElement* element) noexcept;

}  // namespace reel::gst
