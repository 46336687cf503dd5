// Where a frame's times lie on the receiving pipeline's running time. Single-thread; pure but for what it
// remembers of the stream.
#pragma once

#include <cstdint>

#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>

namespace reel::gst {

/// A moment on a running time line; may lie before its zero, so it has its own word for "none".
struct RunningTime {
  std::int64_t ns = 0;
  bool known = false;
};

/// gst_segment_to_running_time(), exact to the nanosecond for a rate of 1 and not clipped to the segment.
[[nodiscard]] RunningTime running_time(const Segment& segment, std::int64_t time_ns) noexcept;

/// The earlier of two times, of those that are known.
[[nodiscard]] RunningTime earlier(RunningTime a, RunningTime b) noexcept;

/// What a frame says of time.
struct FrameTimes {
  std::int64_t pts_ns = kNoTime;
  std::int64_t dts_ns = kNoTime;
  std::int64_t seen_ns = kNoTime;  // CLOCK_MONOTONIC: captured, or else published
  bool discont = false;
};

/// A frame's times on the receiver's running time.
struct MappedTimes {
  RunningTime pts;
  RunningTime dts;
  double rate = 1.0;  // of the sender: durations are so many times shorter here
};

/// Live: a frame's presentation in the sender's pipeline is a moment of CLOCK_MONOTONIC (its segment says
/// which), and that moment has a running time here. Streams without such a segment are bound by the capture
/// time of their first frame, and again after every discontinuity. Frames of one sender stay in sync to the
/// nanosecond, whichever pipeline started first, because all go through the same clock.
class TimeMap {
 public:
  /// Another writer: binds streams without a segment anew.
  void forget() noexcept { bound_ = false; }

  /// `segment` may be nullptr. CLOCK_MONOTONIC is `monotonic_offset_ns` ahead of this pipeline's running
  /// time. A frame without any time is where it was captured.
  [[nodiscard]] MappedTimes map(const FrameTimes& times, const Segment* segment,
                                std::int64_t monotonic_offset_ns) noexcept;

 private:
  bool bound_ = false;
  std::int64_t bound_shift_ns_ = 0;  // CLOCK_MONOTONIC minus pts
};

}  // namespace reel::gst
