// How often this process allocates memory, by malloc and its kin or by operator new, in any thread. Links
// into a test program of its own: it takes malloc's place there.
#pragma once

#include <cstdint>

/// Counts from its construction on.
class AllocationCount {
 public:
  AllocationCount() noexcept;
  [[nodiscard]] std::uint64_t so_far() const noexcept;

 private:
  std::uint64_t before_;
};
