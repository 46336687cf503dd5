#include "frame_times.hpp"

#include <algorithm>
#include <cmath>

namespace reel {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;

std::int64_t cut(std::int64_t time_ns) noexcept {
  return std::clamp(time_ns, -kFarthest_ns, kFarthest_ns);
}

std::int64_t cut(double time_ns) noexcept {
  constexpr auto kFarthest = static_cast<double>(kFarthest_ns);
  if (std::isnan(time_ns)) return 0;
  return std::llround(std::clamp(time_ns, -kFarthest, kFarthest));
}

// gst_segment_to_running_time(), exact for a rate of 1 and not clipped to the segment. Sums of three cut
// times fit.
std::int64_t running_time_ns(const Segment& segment, std::int64_t pts_ns) noexcept {
  const std::int64_t start_ns = cut(segment.start_ns);
  const std::int64_t base_ns = cut(segment.base_ns);
  if (segment.rate == 1.0) return cut(cut(pts_ns) - start_ns + base_ns);
  const bool back = segment.rate < 0 && segment.stop_ns != kNoTime;
  const std::int64_t played_ns = back ? cut(segment.stop_ns) - cut(pts_ns) : cut(pts_ns) - start_ns;
  const double rate = segment.rate == 0 ? 1.0 : std::abs(segment.rate);
  return cut(cut(static_cast<double>(played_ns) / rate) + base_ns);
}

}  // namespace

std::optional<std::int64_t> media_time_ns(const Frame& frame) noexcept {
  const std::int64_t pts_ns = frame.info().pts_ns;
  if (pts_ns == kNoTime) return std::nullopt;
  return frame.segment() == nullptr ? cut(pts_ns) : running_time_ns(*frame.segment(), pts_ns);
}

std::int64_t capture_time_ns(const Frame& frame) noexcept {
  if (frame.info().capture_ns != kNoTime) return cut(frame.info().capture_ns);
  const Segment* segment = frame.segment();
  const auto media_ns = media_time_ns(frame);
  if (segment != nullptr && segment->monotonic_offset_ns != kNoTime && media_ns)
    return cut(*media_ns + cut(segment->monotonic_offset_ns));
  return cut(frame.publish_ns());
}

std::int64_t publish_time_ns(const Frame& frame) noexcept {
  return cut(frame.publish_ns());
}

bool bound_to_clock(const Frame& frame) noexcept {
  const Segment* segment = frame.segment();
  return frame.info().pts_ns == kNoTime || (frame.info().flags & kFromLive) != 0 ||
         (segment != nullptr && segment->monotonic_offset_ns != kNoTime);
}

std::int64_t spacing_ns(const Frame& frame) noexcept {
  if (frame.info().duration_ns > 0) return cut(frame.info().duration_ns);
  const VideoFormat* video = frame.format().video();
  if (video == nullptr || video->fps.numerator == 0) return 0;
  return kSecond_ns * std::int64_t{video->fps.denominator} / std::int64_t{video->fps.numerator};
}

}  // namespace reel
