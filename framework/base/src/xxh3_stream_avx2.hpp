// A copy by non-temporal stores and XXH3-64 (seed 0) of the same bytes in one pass: each vector is loaded
// once, so that the hash hides behind the memory's own pace. Included by checksum_kernels.inc where it is
// compiled for AVX2, behind xxhash.h; algorithm:
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH3 Algorithm", large inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <immintrin.h>

namespace {

constexpr std::size_t kStripeBytes = 64;
constexpr std::size_t kSecretBytes = 192;
constexpr std::size_t kStripesOfBlock = (kSecretBytes - kStripeBytes) / 8;
constexpr std::uint64_t kPrime64_1 = 0x9E3779B185EBCA87;
constexpr int kPrime32_1 = static_cast<int>(0x9E3779B1);

struct Xxh3Secret {
  alignas(64) std::byte bytes[kSecretBytes];
  Xxh3Secret() { XXH3_generateSecret_fromSeed(bytes, 0); }
};

constexpr long long signed_of(std::uint64_t value) {
  return static_cast<long long>(value);
}

inline __m256i load_vector(const std::byte* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// The eight accumulators of XXH3, four in each vector.
class Xxh3Lanes {
 public:
  void add(__m256i low, __m256i high, const std::byte* secret) {
    low_ = added(low_, low, load_vector(secret));
    high_ = added(high_, high, load_vector(secret + 32));
  }
  void scramble(const std::byte* secret) {
    low_ = scrambled(low_, load_vector(secret));
    high_ = scrambled(high_, load_vector(secret + 32));
  }
  [[nodiscard]] std::uint64_t digest(const std::byte* secret, std::uint64_t size) const {
    alignas(32) std::uint64_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), low_);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes + 4), high_);
    std::uint64_t result = size * kPrime64_1;
    for (std::size_t i = 0; i < 8; i += 2) {
      std::uint64_t keys[2];
      std::memcpy(keys, secret + 8 * i, sizeof keys);
      __extension__ using Wide = unsigned __int128;
      const Wide product = static_cast<Wide>(lanes[i] ^ keys[0]) * (lanes[i + 1] ^ keys[1]);
      result += static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    result ^= result >> 37;
    result *= 0x165667919E3779F9;
    return result ^ result >> 32;
  }

 private:
  static __m256i added(__m256i lanes, __m256i data, __m256i key) {
    const __m256i keyed = _mm256_xor_si256(data, key);
    const __m256i product =
        _mm256_mul_epu32(keyed, _mm256_shuffle_epi32(keyed, 0x31));  // low half times high half
    const __m256i swapped = _mm256_shuffle_epi32(data, 0x4E);        // to the neighbouring lane
    return _mm256_add_epi64(lanes, _mm256_add_epi64(swapped, product));
  }
  static __m256i scrambled(__m256i lanes, __m256i key) {
    const __m256i prime = _mm256_set1_epi32(kPrime32_1);
    const __m256i mixed = _mm256_xor_si256(_mm256_xor_si256(lanes, _mm256_srli_epi64(lanes, 47)), key);
    const __m256i high = _mm256_mul_epu32(_mm256_shuffle_epi32(mixed, 0x31), prime);
    return _mm256_add_epi64(_mm256_mul_epu32(mixed, prime), _mm256_slli_epi64(high, 32));
  }

  // Of the specification: PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5,
  // PRIME32_1.
  __m256i low_ = _mm256_setr_epi64x(0xC2B2AE3D, signed_of(kPrime64_1), signed_of(0xC2B2AE3D27D4EB4F),
                                    0x165667B19E3779F9);
  __m256i high_ =
      _mm256_setr_epi64x(signed_of(0x85EBCA77C2B2AE63), 0x85EBCA77, 0x27D4EB2F165667C5, 0x9E3779B1);
};

// REQUIRES: destination aligned to 32 bytes, size above 240.
inline std::uint64_t stream_and_hash(std::byte* destination, const std::byte* source, std::size_t size) {
  static const Xxh3Secret secret_bytes;
  const std::byte* secret = secret_bytes.bytes;
  const std::size_t stripes = (size - 1) / kStripeBytes;  // the last stripe is apart: it ends with the bytes
  Xxh3Lanes lanes;
  std::size_t at = 0;
  const auto stripe = [&](std::size_t in_block) {
    const __m256i low = load_vector(source + at), high = load_vector(source + at + 32);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(destination + at), low);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(destination + at + 32), high);
    lanes.add(low, high, secret + 8 * in_block);
    at += kStripeBytes;
  };
  for (std::size_t block = 0; block < stripes / kStripesOfBlock; ++block) {
    for (std::size_t i = 0; i < kStripesOfBlock; ++i) stripe(i);
    lanes.scramble(secret + kSecretBytes - kStripeBytes);
  }
  for (std::size_t i = 0; i < stripes % kStripesOfBlock; ++i) stripe(i);
  std::memcpy(destination + at, source + at, size - at);
  const std::byte* last = source + size - kStripeBytes;
  lanes.add(load_vector(last), load_vector(last + 32), secret + kSecretBytes - kStripeBytes - 7);
  _mm_sfence();
  return lanes.digest(secret + 11, size);
}

}  // namespace
