// A stage's process towards its supervisor: the setup and the statistics page that it was left open, and the
// statuses that it ends with. For programs that run stages (the stage host is one); called in their first
// thread.
#pragma once

#include <csignal>

#include <reel/stage/stage_setup.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

inline constexpr int kEndedWell = 0;
inline constexpr int kFailed = 1;            // said why in the log; worth another try
inline constexpr int kBadConfiguration = 2;  // would fail again: not restarted

/// Reads `fd` to its end and closes it. Throws Error{io | protocol}.
[[nodiscard]] StageSetup read_setup(int fd);

/// The page behind `fd`, or one of its own for -1, with this process's pid in it. Throws Error.
[[nodiscard]] StagePageMapping open_page(int fd);

void set_state(StagePage& page, StageState state) noexcept;

/// In the environment of a process that is to wait for a debugger.
inline constexpr const char* kWaitForDebuggerVariable = "REEL_WAIT_FOR_DEBUGGER";

/// What drains such a process, in place of SIGINT: debuggers stop a process by that one, which it therefore
/// does not block.
inline constexpr int kDrainSignalOfDebugged = SIGUSR1;

/// Where that variable is set: lets any process of this user debug this one, and returns once one does,
/// SIGCONT has come (nobody will), or one of the stop signals waits. REQUIRES: stop signals are blocked
/// (block_stop_signals), and no other thread runs.
void wait_for_debugger() noexcept;

}  // namespace reel
