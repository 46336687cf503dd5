// Two processes on two processors that measure something between them, and the memory they share beside the
// streams under test.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <sched.h>
#include <unistd.h>

namespace reel_bench {

inline constexpr std::size_t kCacheLineBytes = 64;
inline constexpr std::size_t kMostSamples = 16'384;

/// Anonymous memory that both map; made anew for every pair.
struct SharedBoard {
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> word{0};  // the cache line that goes to and fro
  alignas(kCacheLineBytes) std::atomic<std::int64_t> sent_ns{
      0};                              // CLOCK_MONOTONIC at the start of a hand-off
  std::atomic<std::uint64_t> done{0};  // hand-offs that arrived
  std::atomic<double> figure{0};       // what the child found, where that is one number
  alignas(kCacheLineBytes) std::array<std::int64_t, kMostSamples> samples{};
};

/// Runs `child` in a forked process on the second processor and `parent` here, on the first. Throws
/// std::runtime_error when the child failed. REQUIRES: no other threads now.
void run_pair(const std::function<void(SharedBoard&)>& parent,
              const std::function<void(SharedBoard&)>& child);

[[nodiscard]] bool several_processors() noexcept;

/// Spins until `condition`; on one processor it lets the other process run.
template <typename Condition>
void spin_until(Condition&& condition) {
  static const bool alone = !several_processors();
  while (!condition()) {
    if (alone) ::sched_yield();
  }
}

}  // namespace reel_bench
