#include "allocation_count.hpp"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<std::uint64_t> g_allocations{0};

void count() noexcept {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

AllocationCount::AllocationCount() noexcept : before_(g_allocations.load(std::memory_order_relaxed)) {}

std::uint64_t AllocationCount::so_far() const noexcept {
  return g_allocations.load(std::memory_order_relaxed) - before_;
}

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer has taken malloc's place already, and calls these.
extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t) {
  count();
}
extern "C" void __sanitizer_free_hook(const volatile void*) {}

#else

// glibc's own allocator by its other names ("Replacing malloc" in its manual): operator new and libreel come
// here too.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* place, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count();
  return __libc_calloc(number, size);
}
void* realloc(void* place, std::size_t size) {
  count();
  return __libc_realloc(place, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

}  // extern "C"

#endif
