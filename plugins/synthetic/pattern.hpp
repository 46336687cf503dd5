// The known pattern of synthetic.source: every byte of a frame follows from its number and its place, none
// repeats from one frame to the next. Stateless; thread-safe. Made and checked at about the speed of memory.
//
// Little-endian 64-bit words. Word 0 is kMagic and word 1 the frame's number, where the frame has 16 bytes;
// word i is
//   (table[(i + shift) mod kTableWords] ^ key) & keep | set
// with key and shift taken from the number and the frame's size (another size is another pattern: a cut frame
// is noticed), and the table SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
// Generators", 2014) of 1, 2, 3... keep and set leave every bit alone but for F32LE, where they make each
// sample a number of 0.125 to 0.25 with either sign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <reel/format/format.hpp>

namespace reel::synthetic {

inline constexpr std::uint64_t kMagic = 0x3d53'594e'3d52'4545;  // as two floats: 0.05

struct Verdict {
  bool intact = false;
  std::uint64_t number = 0;     // of the frame, as far as it can be told
  std::size_t first_wrong = 0;  // place of the first wrong byte; when not intact
};

class Pattern {
 public:
  explicit Pattern(const Format& format) noexcept;

  void fill(std::span<std::byte> frame, std::uint64_t number) const noexcept;

  /// Compares every byte. `told_number` is what the frame's metadata says: the number must be the same, and
  /// it stands in where the frame is too small to hold one or does not begin with kMagic.
  [[nodiscard]] Verdict check(std::span<const std::byte> frame, std::uint64_t told_number) const noexcept;

 private:
  std::uint64_t keep_ = ~std::uint64_t{0};
  std::uint64_t set_ = 0;
};

}  // namespace reel::synthetic
