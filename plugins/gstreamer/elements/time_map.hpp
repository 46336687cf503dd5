// Where a frame's times lie on the receiving pipeline's running time. Single-thread; pure but for what it
// remembers of the stream.
#pragma once

#include <cstdint>

#include <reel/channel/frame.hpp>
#include <reel/format/records.hpp>

namespace reel::gst {

/// Live: a frame's presentation in the sender's pipeline is a moment of CLOCK_MONOTONIC (its segment says
/// which), and that moment has a running time here. Streams without such a segment are bound by the capture
/// time of their first frame, and again after every discontinuity. Frames of one sender stay in sync to the
/// nanosecond, whichever pipeline started first, because all go through the same clock.
class TimeMap {
 public:
  /// A new writer, or a gap: binds streams without a segment anew.
  void forget() noexcept { bound_ = false; }

  /// What `frame` says of itself, with pts and dts as running times of this pipeline, of which
  /// CLOCK_MONOTONIC is `monotonic_offset_ns` ahead. A time before this pipeline's zero becomes 0.
  [[nodiscard]] FrameInfo map(const Frame& frame, std::int64_t monotonic_offset_ns) noexcept;

 private:
  [[nodiscard]] std::int64_t shift_of(const Frame& frame) noexcept;

  bool bound_ = false;
  std::int64_t bound_shift_ns_ = 0;  // CLOCK_MONOTONIC minus pts
};

}  // namespace reel::gst
