#include "play/unit_queue.hpp"

#include <utility>

namespace record {
namespace {

// A decoder of sound needs what came before for its first samples.
constexpr std::size_t kSoundBefore = 4;

}  // namespace

void UnitQueue::push(QueuedUnit queued) {
  last_ns_ = queued.unit.time_ns;
  if (begun_) return keep(std::move(queued));
  if (queued.video && queued.unit.key) before_.clear();
  if (queued.unit.time_ns < from_ns_) {
    if (!queued.video && before_.size() == kSoundBefore) before_.pop_front();
    before_.push_back(std::move(queued));
    return;
  }
  begun_ = true;
  for (QueuedUnit& one : before_) keep(std::move(one));
  before_.clear();
  keep(std::move(queued));
}

void UnitQueue::keep(QueuedUnit queued) {
  bytes_ += queued.unit.bytes();
  units_.push_back(std::move(queued));
}

void UnitQueue::pop() noexcept {
  bytes_ -= units_.front().unit.bytes();
  units_.pop_front();
}

}  // namespace record
