#include "huge_pages.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/unique_fd.hpp>

namespace reel {

namespace {

#ifdef MADV_COLLAPSE
constexpr int kCollapse = MADV_COLLAPSE;
#else
constexpr int kCollapse = 25;  // Linux 6.1; older kernels answer EINVAL
#endif

constexpr int kAttempts = 3;  // EAGAIN: some of the pages were in use for a moment
constexpr std::size_t kMostHuge = std::size_t{32} << 20;
constexpr std::size_t kChunk = std::size_t{32} << 20;  // of one call
// A hundred times what it takes where memory lies ready, seven times what small pages take: beyond it the
// kernel is busy putting memory together.
constexpr std::int64_t kMost_ns_per_MiB = 5'000'000;

std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// nullopt where one cannot look; 0 where there are none.
std::optional<std::size_t> read_huge_page_bytes() noexcept {
  const UniqueFd file(::open("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", O_RDONLY | O_CLOEXEC));
  // A root without /sys says nothing of the kernel: one table's worth of pages, of 8 bytes an entry.
  if (!file && errno == ENOENT) return page_bytes() / sizeof(std::uint64_t) * page_bytes();
  std::array<char, 32> text{};
  const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (got <= 0) return std::nullopt;
  std::size_t bytes = 0;
  std::from_chars(text.data(), text.data() + got, bytes);
  return bytes;
}

/// The kernel gives up at the first stretch of which it has no page yet.
bool begin_each(int fd, std::size_t bytes, std::size_t huge) noexcept {
  for (std::size_t offset = 0; offset < bytes; offset += huge) {
    if (::posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(page_bytes())) != 0)
      return false;
  }
  return true;
}

/// False where there is no room for all of it: then not even part of it is taken from others.
bool fits(int fd, std::size_t bytes) noexcept {
  struct statfs files {};
  if (::fstatfs(fd, &files) != 0) return false;
  return files.f_blocks == 0 || files.f_bavail * static_cast<std::uint64_t>(files.f_bsize) >= bytes;
}

void collapse(std::byte* place, std::size_t bytes) noexcept {
  const std::int64_t until_ns =
      monotonic_ns() + kMost_ns_per_MiB * static_cast<std::int64_t>((bytes + kChunk) >> 20);
  for (std::size_t offset = 0; offset < bytes && monotonic_ns() < until_ns; offset += kChunk) {
    int failed = 0;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      failed = ::madvise(place + offset, std::min(kChunk, bytes - offset), kCollapse) == 0 ? 0 : errno;
      if (failed != EAGAIN) break;
    }
    if (failed != 0 && failed != EAGAIN) return;
  }
}

}  // namespace

std::size_t huge_page_bytes() noexcept {
  constexpr std::size_t kUnknown = ~std::size_t{0};
  // relaxed: the number stands for itself.
  static std::atomic<std::size_t> known{kUnknown};
  std::size_t bytes = known.load(std::memory_order_relaxed);
  if (bytes != kUnknown) return bytes;
  const auto read = read_huge_page_bytes();
  if (!read) return 0;
  bytes = *read <= kMostHuge ? *read : 0;
  known.store(bytes, std::memory_order_relaxed);
  return bytes;
}

void* huge_page_hint(std::size_t bytes) noexcept {
  const std::size_t huge = huge_page_bytes();
  if (huge == 0 || bytes < huge) return nullptr;
  void* place = ::mmap(nullptr, bytes + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return nullptr;
  ::munmap(place, bytes + huge);
  const auto address = reinterpret_cast<std::uintptr_t>(place);
  return static_cast<std::byte*>(place) + (huge - address % huge) % huge;
}

void make_huge_pages(int fd, std::size_t bytes) noexcept {
  const std::size_t huge = huge_page_bytes();
  const std::size_t whole = huge == 0 ? 0 : bytes / huge * huge;
  if (whole == 0 || !fits(fd, bytes) || ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return;
  if (!begin_each(fd, whole, huge)) return;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    void* place =
        ::mmap(huge_page_hint(whole), whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    if (place == MAP_FAILED) continue;  // another thread was quicker
    // For a moment only, and yet a child that is forked in it would keep the memory.
    ::madvise(place, whole, MADV_DONTFORK);
    collapse(static_cast<std::byte*>(place), whole);
    ::munmap(place, whole);
    return;
  }
}

}  // namespace reel
