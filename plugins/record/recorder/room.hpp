// Room on the disk for a file that grows, taken before it is needed: what was written to it before does not
// suffer from a disk that fills. Called by the thread that writes. Single-thread.
#pragma once

#include <cstdint>

namespace record {

class Room {
 public:
  explicit Room(int file) noexcept : file_(file) {}
  /// The file may grow to `bytes`; false when the disk has no room. Throws reel::Error for any other failure.
  [[nodiscard]] bool ensure(std::uint64_t bytes);
  /// Gives back what the file, which is complete now, did not need.
  void trim() noexcept;

 private:
  [[nodiscard]] bool take(std::uint64_t bytes);

  int file_;
  std::uint64_t taken_ = 0;
};

}  // namespace record
