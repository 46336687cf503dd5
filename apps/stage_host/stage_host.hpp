// What the stage host can be asked to do.
#pragma once

#include <string>
#include <vector>

#include <reel/stage/supervised.hpp>

namespace reel {

/// Runs the stage that the JSON behind `setup_fd` describes, counting in the page behind `stats_fd` (-1: in a
/// page of its own). SIGINT drains it, SIGTERM stops it. REQUIRES: stop signals are blocked
/// (block_stop_signals) and no other thread runs. Returns an exit status; throws nothing.
[[nodiscard]] int run_plugin(const std::string& name, int setup_fd, int stats_fd) noexcept;

/// Runs a program as the stage `name`, in a process group of its own, with the stage's streams in its
/// environment: as the supervisor put them there, or from the setup behind `setup_fd` where that is not -1.
/// `stats_fd` as above. SIGTERM is passed on to the group, SIGINT when the program has no input (others end
/// with their inputs). The group is killed when the program has ended, and when the supervisor has. Returns
/// the program's status, 128 + signal when it was killed, 0 when it died of the signal that it was passed.
/// REQUIRES: single-threaded. Throws nothing.
[[nodiscard]] int run_program(const std::string& name, const std::vector<std::string>& command, int setup_fd,
                              int stats_fd) noexcept;

}  // namespace reel
