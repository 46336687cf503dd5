#include "live_placement.hpp"

#include <algorithm>
#include <cmath>

namespace reel::gst {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t scaled(std::int64_t duration_ns, double rate) noexcept {
  if (duration_ns == kNoTime || rate == 1.0) return duration_ns;
  return static_cast<std::int64_t>(std::llround(static_cast<double>(duration_ns) / rate));
}

std::int64_t at(RunningTime time, std::int64_t shift_ns) noexcept {
  return time.known ? std::max<std::int64_t>(time.ns + shift_ns, 0) : kNoTime;
}

}  // namespace

void LivePlacement::join() noexcept {
  map_.forget();
  joint_ = delivered_;
}

void LivePlacement::play_on(std::int64_t now_ns) noexcept {
  fresh_since_ns_ = now_ns;
  joint_ = delivered_;
}

std::int64_t LivePlacement::overlap_of(std::int64_t first_ns) const noexcept {
  return joint_ ? std::max<std::int64_t>(last_pts_ns_ - first_ns, 0) : 0;
}

void LivePlacement::flush() noexcept {
  joint_ = false;
  last_pts_ns_ = 0;
  last_end_ns_ = 0;
}

LivePlacement::Placed LivePlacement::place(const FrameInfo& info, const Segment* segment, Moment moment,
                                           Dependence dependence) noexcept {
  const std::int64_t seen_ns = info.capture_ns != kNoTime ? info.capture_ns : moment.publish_ns;
  const MappedTimes mapped =
      map_.map({info.pts_ns, info.dts_ns, seen_ns, (info.flags & kDiscont) != 0}, segment, moment.offset_ns);
  const RunningTime first = earlier(mapped.pts, mapped.dts);
  Placed placed;
  const bool lossless = policy_ == Policy::lossless;
  const std::int64_t published_ns = moment.publish_ns - moment.offset_ns;
  const bool stale = !lossless && (published_ns < 0 || moment.publish_ns < fresh_since_ns_);
  const std::int64_t before_zero_ns = -(first.ns + shift_.ns());

  std::int64_t own_ns = 0;  // by which this frame alone is moved
  if (stale && (delivered_ || dependence == Dependence::none)) {
    placed.verdict = Verdict::stale;
  } else if (stale && before_zero_ns > lead_ns_) {
    lead_ns_ = (before_zero_ns / kSecondNs + 1) * kSecondNs;
    placed.new_segment = true;
  } else if (!stale && before_zero_ns > 0) {
    if (!lossless && before_zero_ns <= kLittleNs && dependence == Dependence::none)
      placed.verdict = Verdict::past;
    else
      shift_.raise_to(-first.ns + (lossless ? kHeadroomNs : kSmallHeadroomNs));
  }
  if (const std::int64_t overlap_ns = overlap_of(first.ns + shift_.ns());
      overlap_ns > 0 && placed.verdict == Verdict::deliver) {
    if (lossless || overlap_ns > kOverlapNs)
      shift_.raise_to(std::max(last_end_ns_, last_pts_ns_) - first.ns);
    else if (dependence == Dependence::none)
      placed.verdict = Verdict::past;
    else
      own_ns = overlap_ns;
  } else if (placed.verdict == Verdict::deliver) {
    joint_ = false;
  }

  const std::int64_t shift_ns = shift_.ns() + own_ns + lead_ns_;
  placed.info = info;
  placed.info.pts_ns = at(mapped.pts, shift_ns);
  placed.info.dts_ns = at(mapped.dts, shift_ns);
  placed.info.duration_ns = scaled(info.duration_ns, mapped.rate);
  placed.late_known = !stale && mapped.pts.known;
  placed.late_ns = published_ns - mapped.pts.ns - shift_.ns();
  if (placed.verdict == Verdict::deliver) remember(placed.info);
  return placed;
}

FrameInfo LivePlacement::at_zero(const FrameInfo& info) noexcept {
  FrameInfo moved = info;
  moved.pts_ns = lead_ns_;
  moved.dts_ns = kNoTime;
  remember(moved);
  return moved;
}

void LivePlacement::remember(const FrameInfo& info) noexcept {
  delivered_ = true;
  if (info.pts_ns == kNoTime) return;
  const std::int64_t pts_ns = info.pts_ns - lead_ns_;
  last_pts_ns_ = std::max(last_pts_ns_, pts_ns);
  last_end_ns_ = std::max(last_end_ns_, pts_ns + std::max<std::int64_t>(info.duration_ns, 0));
}

}  // namespace reel::gst
