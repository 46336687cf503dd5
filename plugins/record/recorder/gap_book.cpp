#include "recorder/gap_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace record {
namespace {

constexpr std::size_t kMost = 10'000;

}  // namespace

void GapBook::add(Gap gap) {
  if (copy_ != nullptr) copy_->add(gap);
  const auto last = std::find_if(gaps_.rbegin(), gaps_.rend(),
                                 [&](const Gap& other) { return other.stream == gap.stream; });
  if (last == gaps_.rend() || last->reason != gap.reason || last->end_ns < gap.start_ns) {
    if (gaps_.size() == kMost) gaps_.erase(gaps_.begin());
    gaps_.push_back(std::move(gap));
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
  std::erase_if(gaps_, [&](const Gap& gap) { return gap.start_ns < end_ns; });
  return taken;
}

}  // namespace record
