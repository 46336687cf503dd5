// How a writer's thread sleeps until there is a slot. One for each call of acquire().
#pragma once

#include <atomic>
#include <cstdint>

#include <reel/base/clock.hpp>

#include "frame_writer_impl.hpp"

namespace reel {

class FrameWriter::Impl::Sleeper {
 public:
  Sleeper(int timeout_ms, const std::atomic<bool>& stop) noexcept : stop_(&stop), timeout_ms_(timeout_ms) {}
  /// As long as it takes, or until `deadline_ns` of CLOCK_MONOTONIC; `stop` where the wait says nothing of
  /// its own.
  Sleeper(const SharedWait& wait, const std::atomic<bool>& stop, std::int64_t deadline_ns = 0) noexcept
      : stop_(&stop), wait_(&wait), deadline_ns_(deadline_ns) {}

  [[nodiscard]] bool stopped() const noexcept {
    return wait_ != nullptr && wait_->stop ? wait_->stop() : stop_->load(std::memory_order_acquire);
  }
  [[nodiscard]] int timeout_ms() const noexcept { return timeout_ms_; }
  /// CLOCK_MONOTONIC; counted from the first time that it is asked for, which is when waiting begins.
  [[nodiscard]] std::int64_t deadline_ns() noexcept;
  void sleep(const std::atomic<std::uint32_t>& events, std::uint32_t before,
             std::int64_t timeout_ns) noexcept;

 private:
  const std::atomic<bool>* stop_;
  const SharedWait* wait_ = nullptr;  // where the writer is shared
  int timeout_ms_ = kForever;
  std::int64_t deadline_ns_ = 0;
};

}  // namespace reel
