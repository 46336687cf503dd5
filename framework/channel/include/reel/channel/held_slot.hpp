// A slot of a stream's memory in somebody's hands: a frame that is read, a loan that is filled. It keeps the
// memory mapped, and gives the slot back when it is let go. Movable; what Frame and Loan are built on.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace reel {

template <typename Epoch>
class HeldSlot {
 public:
  HeldSlot() noexcept = default;
  HeldSlot(std::shared_ptr<Epoch> epoch, std::uint32_t slot) noexcept
      : epoch_(std::move(epoch)), slot_(slot) {}
  HeldSlot(HeldSlot&&) noexcept = default;
  HeldSlot& operator=(HeldSlot&& other) noexcept {
    if (this == &other) return *this;
    release();
    epoch_ = std::move(other.epoch_);
    slot_ = other.slot_;
    return *this;
  }
  ~HeldSlot() { release(); }

  [[nodiscard]] explicit operator bool() const noexcept { return epoch_ != nullptr; }
  [[nodiscard]] Epoch* epoch() const noexcept { return epoch_.get(); }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }

  /// Gives the slot back; does nothing when it holds none. Specialised for each side of a stream.
  void release() noexcept;
  /// For a slot that has been given back otherwise: only lets the memory go.
  void forget() noexcept { epoch_.reset(); }

 private:
  std::shared_ptr<Epoch> epoch_;  // shared: what is held outlives the stream's move to the next epoch
  std::uint32_t slot_ = 0;
};

}  // namespace reel
