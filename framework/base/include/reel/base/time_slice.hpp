// How long the scheduler lets a thread run before another one's turn. For threads that wait for frames and
// hand them on.
#pragma once

#include <cstdint>

namespace reel {

/// While it lives, the scheduler's shortest time slices (0.1 ms) for the thread that made it, and nothing
/// else: its share of the processors and its nice value stay as they are. A thread of shorter slices need not
/// wait, when it wakes up, until one that computes on the same processor has used up its own (1 to 4 ms): of
/// frames that go to a reader which was woken on the writer's processor the latency is that of the others
/// then. Threads that this one starts meanwhile inherit it, and keep it.
///
/// Linux 6.12 and later. Before, where the policy is not SCHED_OTHER, and where slices are as short already,
/// nothing changes. Needs no privilege. Never blocks. See sched_setattr(2), sched_runtime.
class ShortSlices {
 public:
  ShortSlices() noexcept;
  /// In the same thread: its slices are as they were.
  ~ShortSlices();
  ShortSlices(const ShortSlices&) = delete;
  ShortSlices& operator=(const ShortSlices&) = delete;

 private:
  std::uint64_t before_ns_ = 0;  // 0: nothing was changed
};

}  // namespace reel
