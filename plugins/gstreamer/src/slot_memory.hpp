// A slot as GstMemory: mapped all its life, writable until it is published. Its last reference may go in any
// thread, after the writer and the element.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include <gst/gst.h>

#include <reel/gst/stream_slots.hpp>

namespace reel::gst {

/// What the memory of one slot, and all parts of it that were shared, keep alive.
class Slot {
 public:
  Slot(std::shared_ptr<StreamSlots> owner, Loan&& taken)
      : slots(std::move(owner)), loan(std::move(taken)), bytes(loan.data().data()) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot();

  const std::shared_ptr<StreamSlots> slots;
  Loan loan;  // under the lock of `slots`, but for what its filler does
  std::byte* const bytes;
  std::atomic<bool> published{false};  // nobody maps it for writing any more
};

/// The memory has the capacity of the slot's loan, and the size that was asked for.
[[nodiscard]] GstMemory* wrap_slot(std::shared_ptr<Slot> slot);
/// nullptr when `memory` is no slot's.
[[nodiscard]] Slot* slot_of(GstMemory* memory) noexcept;

/// An allocator whose memory is slots of this stream, heap memory where there are none to be had. What its
/// elements wait for ends when `slots` is closed. One reference is the caller's.
[[nodiscard]] GstAllocator* make_slot_allocator(std::shared_ptr<StreamSlots> slots);

}  // namespace reel::gst
