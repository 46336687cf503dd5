// XXH3-64 checksums (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), alone or fused with a
// copy. Stateless and thread-safe; allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace reel {

enum class ChecksumMode : std::uint32_t {
  none = 0,     // nothing is computed
  full = 1,     // every byte
  sampled = 2,  // 64 cache lines spread evenly over the bytes, the first and the last among them; all bytes
                // when there are no more
};

/// XXH3-64 with seed 0 of all bytes.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;

/// By `mode`; 0 for `none`.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> bytes, ChecksumMode mode) noexcept;

/// Copies `source` to `destination` and returns checksum(source, mode), reading the source once: blocks that
/// stay in L1/L2 are copied and hashed in turn, with non-temporal stores where the frame is larger than the
/// caches. The hash is of the bytes that were copied even if another process rewrites `source` meanwhile only
/// when `source` is private; callers that copy from shared memory must validate afterwards. REQUIRES:
/// destination holds source.size() bytes, the two do not overlap. On return non-temporal stores are fenced.
std::uint64_t copy_and_checksum(std::byte* destination, std::span<const std::byte> source,
                                ChecksumMode mode) noexcept;

}  // namespace reel
