#include "held_slots.hpp"

#include <utility>

namespace reel::gst {

HeldSlots::~HeldSlots() {
  free_all(spare_);
  free_all(returned_.load(std::memory_order_acquire));
}

void HeldSlots::free_all(Hold* first) noexcept {
  while (first != nullptr) delete std::exchange(first, first->next);
}

HeldSlots::Hold* HeldSlots::spare() {
  // SYNC slots.returned: acquire, pairs with the release in let_go(). All at once: taking one alone could
  // find it back on top, with another behind it.
  if (spare_ == nullptr) spare_ = returned_.exchange(nullptr, std::memory_order_acquire);
  return spare_ == nullptr ? new Hold : std::exchange(spare_, spare_->next);
}

void* HeldSlots::hold(const std::shared_ptr<HeldSlots>& slots, Frame&& frame) {
  Hold* const made = slots->spare();
  made->frame = std::move(frame);
  made->slots = slots;
  slots->held_.fetch_add(1, std::memory_order_relaxed);
  return made;
}

void HeldSlots::let_go(void* hold) noexcept {
  auto* const back = static_cast<Hold*>(hold);
  const std::shared_ptr<HeldSlots> slots = std::move(back->slots);  // the last of them frees `back` too
  back->frame.release();
  // SYNC slots.held: release, pairs with the acquire in held(): the pin is gone before it counts so.
  slots->held_.fetch_sub(1, std::memory_order_release);
  back->next = slots->returned_.load(std::memory_order_relaxed);
  while (!slots->returned_.compare_exchange_weak(back->next, back, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
  }
}

}  // namespace reel::gst
