#include "recorder/told_gaps.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace record {
namespace {

constexpr std::int64_t kRounded_ns = 1'000'000;

}  // namespace

void ToldGaps::add(const std::vector<Gap>& gaps) {
  for (const Gap& gap : gaps) add(gap);
}

/// The last that begins at or before it reaches furthest: it is a part of that one or of none.
const Gap* ToldGaps::whole_of(const Gap& gap) const {
  const auto gaps = gaps_.find(key_of(gap));
  if (gaps == gaps_.end()) return nullptr;
  const auto next = gaps->second.upper_bound(gap.start_ns);
  if (next == gaps->second.begin()) return nullptr;
  const Gap& other = std::prev(next)->second;
  return other.end_ns >= gap.end_ns ? &other : nullptr;
}

void ToldGaps::add(const Gap& gap) {
  ByBegin& gaps = gaps_[key_of(gap)];
  if (const Gap* whole = whole_of(gap)) {
    Gap& kept = gaps.at(whole->start_ns);
    kept.frames = std::max(kept.frames, gap.frames);
    return;
  }
  auto part = gaps.lower_bound(gap.start_ns);
  while (part != gaps.end() && part->second.end_ns <= gap.end_ns) part = gaps.erase(part);
  gaps.emplace(gap.start_ns, gap);
}

bool ToldGaps::has(const Gap& gap) const {
  const Gap* whole = whole_of(gap);
  return whole != nullptr && whole->frames >= gap.frames;
}

std::optional<Gap> ToldGaps::take(const Gap& gap) {
  const auto gaps = gaps_.find(key_of(gap));
  if (gaps == gaps_.end()) return std::nullopt;
  const auto found = gaps->second.find(gap.start_ns);
  if (found == gaps->second.end() || found->second.end_ns != gap.end_ns) return std::nullopt;
  Gap taken = std::move(found->second);
  gaps->second.erase(found);
  return taken;
}

std::uint64_t ToldGaps::frames_from(const std::string& stream, std::int64_t media_ns) const {
  std::uint64_t frames = 0;
  for (const auto& [key, gaps] : gaps_) {
    if (key.first != stream) continue;
    for (auto gap = gaps.lower_bound(media_ns - kRounded_ns); gap != gaps.end(); ++gap)
      frames += gap->second.frames;
  }
  return frames;
}

}  // namespace record
