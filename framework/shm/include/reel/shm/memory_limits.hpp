// How much memory could be reserved right now. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace reel {

struct MemoryRoom {
  std::uint64_t bytes = 0;
  std::string limit;  // what sets it, for messages: "memory cgroup /x (memory.max 512 MB, 300 MB used)",
                      // "system memory"
};

/// The tightest of: the memory cgroups this process is in (v1 and v2, every ancestor) and the system's
/// available memory. A cgroup kills where it should refuse, and overcommit promises what is not there: so
/// this is asked before memory is reserved. nullopt when nothing can be read.
[[nodiscard]] std::optional<MemoryRoom> memory_room();

}  // namespace reel
