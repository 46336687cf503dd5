// Reserving the pages of a new segment, or saying why not. Called when a segment is made; thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace reel {

/// Throws Error{no_memory} that does the sum when `bytes` more do not fit into memory_room() or the process's
/// limit on file sizes.
void check_memory_room(std::size_t bytes, const std::string& what);

/// Gives an empty file of memory its size and all of its pages. Returns 0 or an errno value (ENOSPC: its file
/// system is full).
[[nodiscard]] int reserve_pages(int fd, std::size_t bytes) noexcept;

}  // namespace reel
