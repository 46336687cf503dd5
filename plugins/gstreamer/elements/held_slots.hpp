// The slots that the buffers of one connection hold, and what their memories keep them with: reused, since an
// allocation for each frame is felt. Shared with the buffers, which may be released in any thread, after the
// element stopped, after the writer died.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <reel/channel/frame.hpp>

namespace reel::gst {

class HeldSlots {
 public:
  HeldSlots() = default;
  HeldSlots(const HeldSlots&) = delete;
  HeldSlots& operator=(const HeldSlots&) = delete;
  ~HeldSlots();

  /// How many are held now. Any thread.
  [[nodiscard]] std::uint32_t held() const noexcept { return held_.load(std::memory_order_acquire); }

  /// To be given to let_go(), once. The streaming thread alone.
  [[nodiscard]] static void* hold(const std::shared_ptr<HeldSlots>& slots, Frame&& frame);
  /// Any thread.
  static void let_go(void* hold) noexcept;

 private:
  struct Hold {
    Frame frame;
    std::shared_ptr<HeldSlots> slots;
    Hold* next = nullptr;
  };
  [[nodiscard]] Hold* spare();
  static void free_all(Hold* first) noexcept;

  std::atomic<std::uint32_t> held_{0};
  std::atomic<Hold*> returned_{nullptr};  // the newest first; hold() takes them all
  Hold* spare_ = nullptr;                 // of those it took
};

}  // namespace reel::gst
