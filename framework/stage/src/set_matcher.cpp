#include "set_matcher.hpp"

#include <algorithm>
#include <cstdlib>

namespace reel {

SetMatcher::SetMatcher(std::size_t inputs, std::int64_t tolerance_ns, std::int64_t timeout_ns)
    : lanes_(inputs), tolerance_ns_(tolerance_ns), timeout_ns_(timeout_ns) {}

void SetMatcher::add(std::size_t input, const Stamp& stamp) {
  Lane& lane = lanes_[input];
  if (lane.any && stamp.time_ns < lane.last_ns - tolerance_ns_) ++lane.line;
  lane.any = true;
  lane.last_ns = stamp.time_ns;
  lane.stamps.push_back({stamp, lane.line});
  lane.looked_since_ns = kNever_ns;
}

void SetMatcher::remove(std::size_t input) {
  lanes_[input].stamps.erase(lanes_[input].stamps.begin());
  lanes_[input].looked_since_ns = kNever_ns;
}

SetMatcher::Verdict SetMatcher::decide(std::uint32_t last, std::int64_t now_ns) {
  Verdict verdict;
  if (leaves_older_line(verdict) || leaves_too_early(verdict) || waits_for_missing(now_ns, verdict) ||
      waits_for_nearer(last, now_ns, verdict))
    return verdict;
  verdict.what = What::match;
  return verdict;
}

// A source that starts again begins its times anew, and its streams come over different paths: what one of
// them published before another came to the new times is of the old ones. What came later is not: its times
// are compared as they are.
bool SetMatcher::leaves_older_line(Verdict& verdict) {
  const Placed* newest = nullptr;
  for (const Lane& lane : lanes_)
    if (!lane.stamps.empty() && (newest == nullptr || lane.stamps.front().line > newest->line))
      newest = &lane.stamps.front();
  for (std::size_t i = 0; i < lanes_.size() && newest != nullptr; ++i) {
    Lane& lane = lanes_[i];
    if (lane.stamps.empty() || lane.stamps.front().line == newest->line) continue;
    if (lane.stamps.front().stamp.published_ns < newest->stamp.published_ns) {
      verdict = {What::leave, i, kNever_ns};
      return true;
    }
    const std::uint64_t behind = newest->line - lane.stamps.front().line;
    for (Placed& placed : lane.stamps) placed.line += behind;
    lane.line += behind;
  }
  return false;
}

// The time of the latest of the oldest: what the others are to be near to.
std::int64_t SetMatcher::newest_ns() const noexcept {
  std::int64_t newest = std::numeric_limits<std::int64_t>::min();
  for (const Lane& lane : lanes_)
    if (!lane.stamps.empty()) newest = std::max(newest, lane.stamps.front().stamp.time_ns);
  return newest;
}

// Also where an input has none: the one it waits for may not come before this one is let go.
bool SetMatcher::leaves_too_early(Verdict& verdict) const {
  const std::int64_t newest = newest_ns();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].stamps.empty() || newest - lanes_[i].stamps.front().stamp.time_ns <= tolerance_ns_)
      continue;
    verdict = {What::leave, i, kNever_ns};
    return true;
  }
  return false;
}

bool SetMatcher::waits_for_missing(std::int64_t now_ns, Verdict& verdict) const {
  const auto missing =
      std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.stamps.empty(); });
  if (missing == lanes_.end()) return false;
  verdict = {What::wait, static_cast<std::size_t>(missing - lanes_.begin()), kNever_ns};
  for (std::size_t i = 0; i < lanes_.size() && timeout_ns_ > 0; ++i) {
    if (lanes_[i].stamps.empty()) continue;
    const std::int64_t until_ns = lanes_[i].stamps.front().stamp.published_ns + timeout_ns_;
    if (until_ns <= now_ns) {
      verdict = {What::leave, i, kNever_ns};
      return true;
    }
    verdict.until_ns = std::min(verdict.until_ns, until_ns);
  }
  return true;
}

// One that follows the oldest of its input may be nearer to the latest.
bool SetMatcher::waits_for_nearer(std::uint32_t last, std::int64_t now_ns, Verdict& verdict) {
  const std::int64_t newest = newest_ns();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::vector<Placed>& stamps = lanes_[i].stamps;
    const Stamp& oldest = stamps.front().stamp;
    const std::int64_t distance_ns = newest - oldest.time_ns;
    if (distance_ns == 0) continue;
    if (stamps.size() > 1) {
      const bool nearer =
          stamps[1].line == stamps[0].line && std::abs(stamps[1].stamp.time_ns - newest) < distance_ns;
      if (!nearer) continue;
      verdict = {What::leave, i, kNever_ns};
      return true;
    }
    const bool known_far = oldest.spacing_ns > 0 && oldest.spacing_ns / 2 >= distance_ns;
    if ((last >> i & 1) != 0 || known_far) continue;
    const std::int64_t until_ns = look_until_ns(lanes_[i], now_ns);
    if (until_ns <= now_ns) continue;
    verdict = {What::wait, i, until_ns};
    return true;
  }
  return false;
}

std::int64_t SetMatcher::look_until_ns(Lane& lane, std::int64_t now_ns) const noexcept {
  lane.looked_since_ns = std::min(lane.looked_since_ns, now_ns);
  const std::int64_t until_ns = lane.looked_since_ns + kLongestLook_ns;
  if (timeout_ns_ == 0) return until_ns;
  return std::min(until_ns, lane.stamps.front().stamp.published_ns + timeout_ns_);
}

}  // namespace reel
