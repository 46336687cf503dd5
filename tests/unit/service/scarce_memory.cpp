#include "scarce_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

std::atomic<std::size_t> g_least_bytes{std::numeric_limits<std::size_t>::max()};
std::atomic<int> g_refusals{0};
thread_local bool t_spared = false;

}  // namespace

namespace reel_test {

ScarceMemory::ScarceMemory(std::size_t least_bytes) {
  t_spared = true;
  g_refusals = 0;
  g_least_bytes = least_bytes;
}

ScarceMemory::~ScarceMemory() {
  g_least_bytes = std::numeric_limits<std::size_t>::max();
  t_spared = false;
}

int ScarceMemory::refusals() const noexcept {
  return g_refusals;
}

}  // namespace reel_test

void* operator new(std::size_t size) {
  if (size >= g_least_bytes && !t_spared) {
    ++g_refusals;
    throw std::bad_alloc();
  }
  if (void* place = std::malloc(size == 0 ? 1 : size)) return place;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return ::operator new(size);
}
void operator delete(void* place) noexcept {
  std::free(place);
}
void operator delete[](void* place) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  std::free(place);
}
void operator delete[](void* place, std::size_t) noexcept {
  std::free(place);
}
