// Huge pages for the frames' memory, where the kernel gives them: a slot that no cache holds is then written
// in two thirds of the time, and a reader maps a ring with hundreds of entries instead of tens of thousands.
// Advice, all of it: where none are to be had memory is of small pages, made a little later. Thread-safe.
#pragma once

#include <cstddef>

namespace reel {

/// What a huge page of shared memory measures, 2 MB on most machines; 0 where the kernel has none, or only
/// such as no ring would fill (over 32 MB).
/// @see Linux: Documentation/admin-guide/mm/transhuge.rst, hpage_pmd_size
[[nodiscard]] std::size_t huge_page_bytes() noexcept;

/// An address at which `bytes` were free a moment ago and a huge page may begin; nullptr where that makes no
/// difference. A hint, to be mapped at with MAP_FIXED_NOREPLACE: another thread may be quicker.
[[nodiscard]] void* huge_page_hint(std::size_t bytes) noexcept;

/// Makes the first pages of an empty file of memory, whose size becomes `bytes`, huge ones as far as they are
/// whole (MADV_COLLAPSE, Linux 6.1). Stops where the kernel has none left, or takes longer to put them
/// together than they are worth. What the administrator says of huge pages in shared memory is obeyed as far
/// as the kernel does.
/// @see Linux: Documentation/admin-guide/mm/transhuge.rst, shmem_enabled
void make_huge_pages(int fd, std::size_t bytes) noexcept;

}  // namespace reel
