// A process that runs out of memory: operator new fails while one of these lives, in all threads but the one
// that made it. Links into a test program of its own: it takes the place of operator new there.
#pragma once

#include <cstddef>

namespace reel_test {

class ScarceMemory {
 public:
  /// For pieces of `least_bytes` or more.
  explicit ScarceMemory(std::size_t least_bytes);
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
  ~ScarceMemory();
  /// How often it failed.
  [[nodiscard]] int refusals() const noexcept;
};

}  // namespace reel_test
