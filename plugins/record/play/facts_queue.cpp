#include "play/facts_queue.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace record {
namespace {

// Frames that did not come in a row: further away than so many lines is not looked.
constexpr std::size_t kWindow = 64;
// Pictures are not shown later than this behind those that were decoded after them.
constexpr std::int64_t kReordered_ns = 1'000'000'000;

}  // namespace

void FactsQueue::add(std::vector<FrameFacts> facts) {
  facts_.insert(facts_.end(), std::make_move_iterator(facts.begin()), std::make_move_iterator(facts.end()));
}

std::optional<FrameFacts> FactsQueue::take(std::int64_t media_ns) {
  while (!facts_.empty() && facts_.front().media_ns < media_ns - kReordered_ns) lose();
  const std::size_t most = std::min(kWindow, facts_.size());
  for (std::size_t i = 0; i < most; ++i) {
    if (std::llabs(facts_[i].media_ns - media_ns) > kTolerance_ns) continue;
    for (; i > 0; --i) lose();
    return pop();
  }
  return std::nullopt;
}

void FactsQueue::lose() {
  const std::int64_t media_ns = facts_.front().media_ns;
  if (media_ns >= cut_.from_ns && media_ns < cut_.to_ns) ++lost_;
  facts_.pop_front();
}

FrameFacts FactsQueue::pop() {
  FrameFacts facts = std::move(facts_.front());
  facts_.pop_front();
  return facts;
}

reel::FrameInfo times_after(const FrameFacts& before, std::int64_t media_ns) {
  reel::FrameInfo info;
  const std::int64_t later_ns = media_ns - before.media_ns;
  if (before.info.pts_ns != reel::kNoTime) info.pts_ns = before.info.pts_ns + later_ns;
  if (before.info.capture_ns != reel::kNoTime) info.capture_ns = before.info.capture_ns + later_ns;
  return info;
}

}  // namespace record
