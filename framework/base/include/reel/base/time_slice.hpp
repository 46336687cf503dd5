// How long the scheduler lets a thread run before another one's turn. Called by threads that wait for frames
// and hand them on, for themselves.
#pragma once

namespace reel {

/// Asks for the shortest time slice of the scheduler (0.1 ms) for the calling thread, and for nothing else:
/// its share of the processors and its nice value stay as they are. A thread of shorter slices need not wait,
/// when it wakes up, until one that computes on the same processor has used up its own (1 to 4 ms): of frames
/// that go to a reader which was woken on the writer's processor the latency is that of the others then.
///
/// Threads that this one starts later inherit it.
///
/// Linux 6.12 and later; before, and for a thread that has a real-time policy or a slice of its own choice,
/// nothing changes. Needs no privilege. Never blocks. See sched_setattr(2), sched_runtime.
void ask_for_short_slices() noexcept;

}  // namespace reel
