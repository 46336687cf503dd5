#include "recorder/gap_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace record {
namespace {

constexpr std::size_t kMost = 10'000;

void keep(std::vector<Gap>& gaps, Gap gap) {
  if (gaps.size() == kMost) gaps.erase(gaps.begin());
  gaps.push_back(std::move(gap));
}

}  // namespace

void GapBook::add(Gap gap) {
  if (copy_ != nullptr) copy_->add(gap);
  keep(untold_, gap);
  const auto last = std::find_if(gaps_.rbegin(), gaps_.rend(),
                                 [&](const Gap& other) { return other.stream == gap.stream; });
  if (last == gaps_.rend() || last->reason != gap.reason || last->end_ns < gap.start_ns) {
    keep(gaps_, std::move(gap));
    return;
  }
  last->end_ns = std::max(last->end_ns, gap.end_ns);
  last->frames += gap.frames;
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
