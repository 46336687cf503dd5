// Where memory_room() reads: the same questions, asked below another root. For tests.
#pragma once

#include <optional>
#include <string>

#include <reel/shm/memory_limits.hpp>

namespace reel {

/// `root` goes before every absolute path: "" is the system itself.
[[nodiscard]] std::optional<MemoryRoom> memory_room_below(const std::string& root);

}  // namespace reel
