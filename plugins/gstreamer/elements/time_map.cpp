#include "time_map.hpp"

#include <algorithm>
#include <cmath>

namespace reel::gst {
namespace {

RunningTime later_by(RunningTime time, std::int64_t shift_ns) noexcept {
  return {time.ns + shift_ns, time.known};
}

RunningTime moved(std::int64_t time_ns, std::int64_t shift_ns) noexcept {
  if (time_ns == kNoTime) return {};
  return {time_ns + shift_ns, true};
}

bool follows_a_clock(const Segment* segment) noexcept {
  if (segment == nullptr || segment->monotonic_offset_ns == kNoTime || segment->rate == 0.0) return false;
  return segment->rate > 0 || segment->stop_ns != kNoTime;
}

}  // namespace

RunningTime running_time(const Segment& segment, std::int64_t time_ns) noexcept {
  if (time_ns == kNoTime || segment.rate == 0.0) return {};
  if (segment.rate == 1.0) return {time_ns - segment.start_ns + segment.base_ns, true};
  if (segment.rate < 0 && segment.stop_ns == kNoTime) return {};
  const std::int64_t passed_ns = segment.rate > 0 ? time_ns - segment.start_ns : segment.stop_ns - time_ns;
  const double scaled_ns = static_cast<double>(passed_ns) / std::abs(segment.rate);
  return {static_cast<std::int64_t>(std::llround(scaled_ns)) + segment.base_ns, true};
}

RunningTime earlier(RunningTime a, RunningTime b) noexcept {
  if (!a.known) return b;
  if (!b.known) return a;
  return a.ns <= b.ns ? a : b;
}

MappedTimes TimeMap::map(const FrameTimes& times, const Segment* segment,
                         std::int64_t monotonic_offset_ns) noexcept {
  if (times.pts_ns == kNoTime && times.dts_ns == kNoTime)
    return {moved(times.seen_ns, -monotonic_offset_ns), {}, 1.0};
  if (follows_a_clock(segment)) {
    const std::int64_t shift_ns = segment->monotonic_offset_ns - monotonic_offset_ns;
    return {later_by(running_time(*segment, times.pts_ns), shift_ns),
            later_by(running_time(*segment, times.dts_ns), shift_ns), std::abs(segment->rate)};
  }
  if (!bound_ || times.discont) {
    bound_shift_ns_ = times.seen_ns - (times.pts_ns != kNoTime ? times.pts_ns : times.dts_ns);
    bound_ = true;
  }
  const std::int64_t shift_ns = bound_shift_ns_ - monotonic_offset_ns;
  return {moved(times.pts_ns, shift_ns), moved(times.dts_ns, shift_ns), 1.0};
}

}  // namespace reel::gst
