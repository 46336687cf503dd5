// The two inner loops of checksum.cpp, compiled once for the baseline and once for AVX2: see
// checksum_kernels.inc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reel::kernels {

using Hash = std::uint64_t (*)(const std::byte* bytes, std::size_t size) noexcept;
using CopyHash = std::uint64_t (*)(std::byte* destination, const std::byte* source,
                                   std::size_t size) noexcept;

struct Kernels {
  Hash hash;
  CopyHash copy_and_hash;
};

extern const Kernels kBaseline;
#if defined(REEL_HAVE_AVX2_KERNELS)
extern const Kernels kAvx2;
#endif

}  // namespace reel::kernels
