#include "recorder/told_gaps.hpp"

#include <algorithm>

namespace record {
namespace {

constexpr std::int64_t kRounded_ns = 1'000'000;

[[nodiscard]] bool is_part(const Gap& gap, const Gap& of) {
  return gap.stream == of.stream && gap.reason == of.reason && gap.start_ns + kRounded_ns >= of.start_ns &&
         gap.end_ns <= of.end_ns + kRounded_ns && gap.frames <= of.frames;
}

}  // namespace

void ToldGaps::add(const std::vector<Gap>& gaps) {
  for (const Gap& gap : gaps) {
    if (has(gap)) continue;
    std::erase_if(gaps_, [&](const Gap& other) { return is_part(other, gap); });
    gaps_.push_back(gap);
  }
}

bool ToldGaps::has(const Gap& gap) const {
  return std::any_of(gaps_.begin(), gaps_.end(), [&](const Gap& other) { return is_part(gap, other); });
}

std::uint64_t ToldGaps::frames_from(const std::string& stream, std::int64_t media_ns) const {
  std::uint64_t frames = 0;
  for (const Gap& gap : gaps_)
    if (gap.stream == stream && gap.start_ns + kRounded_ns >= media_ns) frames += gap.frames;
  return frames;
}

}  // namespace record
