#include <reel/base/checksum.hpp>

#include <cstring>

#include "checksum_kernels.hpp"

namespace reel {
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kSampledLines = 64;

const kernels::Kernels& best() noexcept {
#if defined(REEL_HAVE_AVX2_KERNELS)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) return kernels::kAvx2;
#endif
  return kernels::kBaseline;
}

std::uint64_t sampled(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() <= kLineBytes * kSampledLines) return best().hash(bytes.data(), bytes.size());
  std::byte lines[kLineBytes * kSampledLines];
  const std::size_t last = bytes.size() - kLineBytes;
  for (std::size_t i = 0; i < kSampledLines; ++i) {
    // Rounded down to a cache line, but for the last, which ends with the bytes.
    const std::size_t at =
        i + 1 == kSampledLines ? last : last / (kSampledLines - 1) * i / kLineBytes * kLineBytes;
    std::memcpy(lines + i * kLineBytes, bytes.data() + at, kLineBytes);
  }
  return best().hash(lines, sizeof lines);
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
  return best().hash(bytes.data(), bytes.size());
}

std::uint64_t checksum(std::span<const std::byte> bytes, ChecksumMode mode) noexcept {
  switch (mode) {
    case ChecksumMode::full: return checksum(bytes);
    case ChecksumMode::sampled: return sampled(bytes);
    case ChecksumMode::none: break;
  }
  return 0;
}

std::uint64_t copy_and_checksum(std::byte* destination, std::span<const std::byte> source,
                                ChecksumMode mode) noexcept {
  if (source.empty()) return checksum(source, mode);
  if (mode == ChecksumMode::full) return best().copy_and_hash(destination, source.data(), source.size());
  std::memcpy(destination, source.data(), source.size());
  return checksum(source, mode);
}

}  // namespace reel
