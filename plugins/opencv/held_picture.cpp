#include "held_picture.hpp"

#include <algorithm>
#include <cmath>

namespace {

constexpr std::int64_t kFarthest_ns = std::int64_t{1} << 61;

std::int64_t cut(std::int64_t time_ns) noexcept {
  return std::clamp(time_ns, -kFarthest_ns, kFarthest_ns);
}

}  // namespace

HeldPicture::HeldPicture(const reel::Frame& frame)
    : video_(*frame.format().video()),
      info_(frame.info()),
      side_data_(frame.side_data().bytes().begin(), frame.side_data().bytes().end()) {
  if (frame.segment() != nullptr) segment_ = *frame.segment();
  if (frame.tags() != nullptr) tags_ = *frame.tags();
}

// gst_segment_to_running_time(), not clipped to the segment. The numbers are a peer's: their sums may be
// beyond 64 bits.
std::int64_t HeldPicture::running_ns() const noexcept {
  if (info_.pts_ns == reel::kNoTime || !segment_) return info_.pts_ns;
  const std::int64_t base_ns = cut(segment_->base_ns);
  const std::int64_t played_ns = cut(cut(info_.pts_ns) - cut(segment_->start_ns));
  const double rate = std::abs(segment_->rate);
  if (rate == 1 || !(rate > 0)) return played_ns + base_ns;
  constexpr auto kFarthest = static_cast<double>(kFarthest_ns);
  return std::llround(std::clamp(static_cast<double>(played_ns) / rate, -kFarthest, kFarthest)) + base_ns;
}

void HeldPicture::lead(reel::Output& output, const reel::Format& format) const {
  output.set_format(format);
  if (segment_) output.writer().set_segment(*segment_);
  if (tags_) output.writer().set_tags(*tags_);
}
