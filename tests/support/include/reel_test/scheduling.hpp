// How the scheduler treats the calling thread.
#pragma once

#include <cstdint>

namespace reel_test {

struct Scheduling {
  std::uint32_t policy = 0;  // SCHED_OTHER, ...
  int nice = 0;
  std::uint64_t slice_ns = 0;  // of SCHED_OTHER, since Linux 6.12; else 0
};

/// Of the calling thread. A failed look fails the test.
[[nodiscard]] Scheduling scheduling();

/// The slices of a thread that wants the shortest, where `usual` are those of others.
[[nodiscard]] constexpr std::uint64_t shortest_slice_ns(const Scheduling& usual) {
  return usual.slice_ns == 0 ? 0 : 100'000;
}

}  // namespace reel_test
