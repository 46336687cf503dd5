// What a writer does with its frames, and when, told to somebody who wants to know for a while: see
// WriterOptions::trace. All times are nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <atomic>
#include <cstdint>

namespace reel {

/// Of one frame that was published. Its readers may be at work on it from `publish_ns` on, before `end_ns`.
struct PublishTimes {
  std::int64_t begin_ns = 0, end_ns = 0;  // of the call
  std::uint64_t sequence = 0;
  std::int64_t publish_ns = 0;  // as Frame::publish_ns() says
  std::int64_t pts_ns = 0;      // kNoTime: none
};

/// Called in the thread that uses the writer, while `wanted` is not 0: it must not wait, nor call the writer.
class WriterTrace {
 public:
  /// `wanted` outlives it; another process may change it.
  explicit WriterTrace(const std::atomic<std::uint32_t>& wanted) noexcept : wanted_(wanted) {}

  // relaxed: a frame more or less that is told of is all that depends on it.
  [[nodiscard]] bool wanted() const noexcept { return wanted_.load(std::memory_order_relaxed) != 0; }
  virtual void published(const PublishTimes& times) noexcept = 0;
  /// Its readers held all slots.
  virtual void waited(std::int64_t begin_ns, std::int64_t end_ns) noexcept = 0;

 protected:
  ~WriterTrace() = default;

 private:
  const std::atomic<std::uint32_t>& wanted_;
};

}  // namespace reel
