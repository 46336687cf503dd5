#include "recorder/gap_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace record {
namespace {

constexpr std::size_t kMost = 10'000;

/// One that continues the last of its stream, for the same reason, becomes a part of it.
void join(std::vector<Gap>& gaps, Gap gap) {
  const auto last =
      std::find_if(gaps.rbegin(), gaps.rend(), [&](const Gap& other) { return other.stream == gap.stream; });
  if (last == gaps.rend() || last->reason != gap.reason || last->end_ns < gap.start_ns) {
    if (gaps.size() == kMost) gaps.erase(gaps.begin());
    gaps.push_back(std::move(gap));
    return;
  }
  last->start_ns = std::min(last->start_ns, gap.start_ns);  // pictures may come in another order
  last->end_ns = std::max(last->end_ns, gap.end_ns);
  last->frames += gap.frames;
}

}  // namespace

void GapBook::add(Gap gap) {
  if (copy_ != nullptr) copy_->add(gap);
  join(untold_, gap);
  join(gaps_, std::move(gap));
}

std::vector<Gap> GapBook::before(std::int64_t end_ns) const {
  std::vector<Gap> found;
  std::copy_if(gaps_.begin(), gaps_.end(), std::back_inserter(found),
               [&](const Gap& gap) { return gap.start_ns < end_ns; });
  return found;
}

std::vector<Gap> GapBook::take_before(std::int64_t end_ns) {
  std::vector<Gap> taken = before(end_ns);
  for (std::vector<Gap>* gaps : {&gaps_, &untold_})
    std::erase_if(*gaps, [&](const Gap& gap) { return gap.start_ns < end_ns; });
  return taken;
}

void GapBook::forget_untold(std::int64_t end_ns) {
  std::erase_if(untold_, [&](const Gap& gap) { return gap.end_ns < end_ns; });
}

std::vector<Gap> GapBook::untold(const std::string& stream, std::int64_t media_ns) {
  std::vector<Gap> found;
  if (untold_.empty()) return found;
  const auto first = std::stable_partition(untold_.begin(), untold_.end(), [&](const Gap& gap) {
    return gap.stream != stream || gap.start_ns > media_ns;
  });
  found.assign(std::make_move_iterator(first), std::make_move_iterator(untold_.end()));
  untold_.erase(first, untold_.end());
  return found;
}

}  // namespace record
