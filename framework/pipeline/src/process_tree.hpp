// What a process and all that it has started use, by /proc. Thread-safe.
#pragma once

#include <cstdint>

#include <sys/types.h>

namespace reel {

struct ProcessUse {
  double cpu_seconds = 0;  // user and system, of the living and of those that were reaped
  std::uint64_t own_bytes =
      0;  // resident and of no file: neither rings nor programs' text, which others map too
};

/// Nothing for a process that is gone.
/// @see proc(5): /proc/PID/stat, /proc/PID/status, /proc/PID/task/TID/children
[[nodiscard]] ProcessUse use_of_tree(pid_t root);

}  // namespace reel
