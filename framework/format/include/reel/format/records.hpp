// The immutable records besides formats that frames refer to: segments (time lines) and tags. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <reel/base/clock.hpp>

namespace reel {

inline constexpr std::size_t kMaxTagsBytes = 4064;  // of tag text

/// How a frame's pts relates to running time and to CLOCK_MONOTONIC. GStreamer's GstSegment in TIME format
/// (gst_segment_to_running_time): running = (pts - start) / rate + base, or (stop - pts) / |rate| + base
/// where rate < 0; stream time = (pts - start) * applied_rate + time, or (stop - pts) * |applied_rate| + time
/// where applied_rate < 0.
struct Segment {
  double rate = 1.0;          // playback rate; not 0
  double applied_rate = 1.0;  // what was done about the rate already: stream time runs so much faster; not 0
  std::int64_t start_ns = 0;  // first pts of the segment
  std::int64_t stop_ns = kNoTime;
  std::int64_t time_ns = 0;  // stream time of start
  std::int64_t base_ns = 0;  // running time of start
  /// CLOCK_MONOTONIC minus running time: when the frame of running time 0 was or is to be presented; kNoTime:
  /// not bound to a clock.
  std::int64_t monotonic_offset_ns = kNoTime;
  bool operator==(const Segment&) const = default;
};

/// Tags as text (GStreamer's taglist serialisation, or "key=value" lines).
using Tags = std::string;

}  // namespace reel
