#include "time_map.hpp"

#include <algorithm>

namespace reel::gst {
namespace {

std::int64_t moved(std::int64_t time_ns, std::int64_t shift_ns) noexcept {
  return time_ns == kNoTime ? kNoTime : std::max<std::int64_t>(time_ns + shift_ns, 0);
}

std::int64_t seen_ns(const Frame& frame) noexcept {
  return frame.info().capture_ns != kNoTime ? frame.info().capture_ns : frame.publish_ns();
}

}  // namespace

// CLOCK_MONOTONIC minus pts, where pts runs at the pace of the clock.
std::int64_t TimeMap::shift_of(const Frame& frame) noexcept {
  const FrameInfo& info = frame.info();
  const Segment* segment = frame.segment();
  if (segment != nullptr && segment->monotonic_offset_ns != kNoTime && segment->rate == 1.0)
    return segment->base_ns - segment->start_ns + segment->monotonic_offset_ns;
  if (!bound_ || (info.flags & kDiscont) != 0) {
    bound_shift_ns_ = seen_ns(frame) - std::max<std::int64_t>(info.pts_ns, 0);
    bound_ = true;
  }
  return bound_shift_ns_;
}

FrameInfo TimeMap::map(const Frame& frame, std::int64_t monotonic_offset_ns) noexcept {
  FrameInfo info = frame.info();
  if (info.pts_ns == kNoTime && info.dts_ns == kNoTime) {
    info.pts_ns = moved(seen_ns(frame), -monotonic_offset_ns);
    return info;
  }
  const std::int64_t shift_ns = shift_of(frame) - monotonic_offset_ns;
  info.pts_ns = moved(info.pts_ns, shift_ns);
  info.dts_ns = moved(info.dts_ns, shift_ns);
  return info;
}

}  // namespace reel::gst
