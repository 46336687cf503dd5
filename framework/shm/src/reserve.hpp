// Reserving the pages of a new segment, or saying why not. Called when a segment is made; thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace reel {

/// Throws Error{no_memory} that does the sum when `bytes` more do not fit into memory_room() or the process's
/// limit on file sizes.
void check_memory_room(std::size_t bytes, const std::string& what);

/// Gives an empty file of memory its size and all of its pages, huge ones where the kernel has them. Returns
/// 0 or an errno value (ENOSPC: its file system is full), the file as empty as it was.
[[nodiscard]] int reserve_pages(int fd, std::size_t bytes) noexcept;

}  // namespace reel
