#include "checksum_kernels.hpp"

#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <xxhash.h>

#include <reel/base/checksum.hpp>

namespace reel {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kAlignment = 64;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random(size + 1);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// A place for `size` bytes that begins `offset` bytes behind a cache line, with guards around it.
class Place {
 public:
  Place(std::size_t size, std::size_t offset) : store_(size + offset + 3 * kAlignment, kGuard), size_(size) {
    const auto address = reinterpret_cast<std::uintptr_t>(store_.data());
    begin_ = kAlignment + (kAlignment - address % kAlignment) % kAlignment + offset;
  }
  [[nodiscard]] std::span<std::byte> bytes() { return std::span(store_).subspan(begin_, size_); }
  [[nodiscard]] bool guards_are_whole() const {
    const auto guard = [](std::byte byte) { return byte == kGuard; };
    const auto begin = store_.begin() + static_cast<std::ptrdiff_t>(begin_);
    return std::all_of(store_.begin(), begin, guard) &&
           std::all_of(begin + static_cast<std::ptrdiff_t>(size_), store_.end(), guard);
  }

 private:
  static constexpr std::byte kGuard{0xA5};
  std::vector<std::byte> store_;
  std::size_t size_;
  std::size_t begin_ = 0;
};

// Every size where XXH3 changes its ways, and sizes around the blocks of the fused copy.
std::vector<std::size_t> sizes_to_300k() {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 1100; ++size) sizes.push_back(size);
  for (std::size_t size = 2048; size <= 262144; size *= 2)
    for (const std::size_t around : {size - 1, size, size + 1}) sizes.push_back(around);
  for (std::size_t size = 1103; size <= 300'000; size = size * 9 / 7) sizes.push_back(size);
  sizes.push_back(300'000);
  return sizes;
}

TEST(Checksum, IsXxh3OfLibxxhashForEverySizeAndAlignment) {
  const std::vector<std::byte> bytes = random_bytes(300'000 + kAlignment);
  for (const std::size_t size : sizes_to_300k()) {
    for (const std::size_t offset : {0u, 1u, 7u, 33u}) {
      const auto part = std::span(bytes).subspan(offset, size);
      const std::uint64_t expected = XXH3_64bits(part.data(), part.size());
      ASSERT_EQ(checksum(part), expected) << size << " bytes at " << offset;
      ASSERT_EQ(checksum(part, ChecksumMode::full), expected);
      ASSERT_EQ(checksum(part, ChecksumMode::none), 0u);
    }
  }
}

void expect_copied(std::size_t size, std::size_t source_offset, std::size_t destination_offset) {
  Place source(size, source_offset);
  const auto bytes = random_bytes(size);
  std::copy(bytes.begin(), bytes.end(), source.bytes().begin());
  for (const ChecksumMode mode : {ChecksumMode::none, ChecksumMode::sampled, ChecksumMode::full}) {
    SCOPED_TRACE("size " + std::to_string(size) + " from " + std::to_string(source_offset) + " to " +
                 std::to_string(destination_offset) + " mode " + std::to_string(static_cast<int>(mode)));
    Place destination(size, destination_offset);
    const std::uint64_t sum = copy_and_checksum(destination.bytes().data(), source.bytes(), mode);
    ASSERT_EQ(sum, checksum(bytes, mode));
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), destination.bytes().begin()));
    ASSERT_TRUE(destination.guards_are_whole());
  }
}

TEST(CopyAndChecksum, CopiesExactlyAndSumsLikeChecksum) {
  for (const std::size_t size : sizes_to_300k())
    ASSERT_NO_FATAL_FAILURE(expect_copied(size, size % 3, size % 5));
}

TEST(CopyAndChecksum, StreamsLargeFramesFromAndToAnyAlignment) {
  for (const std::size_t size :
       {kMiB - 1, kMiB, kMiB + 1, kMiB + 64, kMiB + 65, kMiB + 1023, kMiB + 1088, 3 * kMiB + 77}) {
    for (const std::size_t source : {0u, 1u, 31u}) {
      for (const std::size_t destination : {0u, 1u, 16u, 32u})
        ASSERT_NO_FATAL_FAILURE(expect_copied(size, source, destination));
    }
  }
}

TEST(CopyAndChecksum, NeedsNoPlaceForNoBytes) {
  EXPECT_EQ(copy_and_checksum(nullptr, {}, ChecksumMode::full), XXH3_64bits(nullptr, 0));
  EXPECT_EQ(copy_and_checksum(nullptr, {}, ChecksumMode::sampled), XXH3_64bits(nullptr, 0));
  EXPECT_EQ(copy_and_checksum(nullptr, {}, ChecksumMode::none), 0u);
}

// The positions, in steps of `step`, of bytes whose change the sampled checksum sees.
std::vector<std::size_t> seen_positions(std::vector<std::byte> bytes, std::size_t step) {
  const std::uint64_t before = checksum(bytes, ChecksumMode::sampled);
  std::vector<std::size_t> seen;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    bytes[at] ^= std::byte{1};
    if (checksum(bytes, ChecksumMode::sampled) != before) seen.push_back(at);
    bytes[at] ^= std::byte{1};
  }
  return seen;
}

TEST(SampledChecksum, SeesTheFirstAndTheLastByte) {
  for (const std::size_t size : {1u, 64u, 4095u, 4096u, 4097u, 4161u, 100'003u, 6'220'800u}) {
    std::vector<std::byte> bytes = random_bytes(size);
    const std::uint64_t before = checksum(bytes, ChecksumMode::sampled);
    bytes.front() ^= std::byte{0x80};
    EXPECT_NE(checksum(bytes, ChecksumMode::sampled), before) << size;
    bytes.front() ^= std::byte{0x80};
    bytes.back() ^= std::byte{0x80};
    EXPECT_NE(checksum(bytes, ChecksumMode::sampled), before) << size;
  }
}

TEST(SampledChecksum, SeesEveryByteWhenThereAreNoMoreThan64Lines) {
  EXPECT_EQ(seen_positions(random_bytes(4096), 1).size(), 4096u);
  const auto bytes = random_bytes(4000);
  EXPECT_EQ(checksum(bytes, ChecksumMode::sampled), checksum(bytes));
}

TEST(SampledChecksum, SeesSixtyFourLinesSpreadEvenly) {
  const std::size_t lines = 64 * 1024;
  const auto seen = seen_positions(random_bytes(lines * 64), 64);
  ASSERT_EQ(seen.size(), 64u);
  EXPECT_EQ(seen.front(), 0u);
  EXPECT_EQ(seen.back(), (lines - 1) * 64);
  const double even = static_cast<double>(lines - 1) / 63 * 64;
  for (std::size_t i = 1; i < seen.size(); ++i)
    EXPECT_NEAR(static_cast<double>(seen[i] - seen[i - 1]), even, 64 * 64) << i;
}

TEST(ChecksumKernels, AgreeOnEverySize) {
#if defined(REEL_HAVE_AVX2_KERNELS)
  if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "this processor has no AVX2";
  const std::vector<std::byte> bytes = random_bytes(2 * kMiB + 100);
  std::vector<std::size_t> sizes = sizes_to_300k();
  sizes.insert(sizes.end(), {kMiB, kMiB + 4097, 2 * kMiB});
  for (const std::size_t size : sizes) {
    const std::byte* source = bytes.data() + size % 64;
    const std::uint64_t expected = kernels::kBaseline.hash(source, size);
    ASSERT_EQ(kernels::kAvx2.hash(source, size), expected) << size;
    for (const kernels::Kernels& kernel : {kernels::kBaseline, kernels::kAvx2}) {
      Place destination(size, 0);
      ASSERT_EQ(kernel.copy_and_hash(destination.bytes().data(), source, size), expected) << size;
      ASSERT_TRUE(std::equal(source, source + size, destination.bytes().begin())) << size;
      ASSERT_TRUE(destination.guards_are_whole()) << size;
    }
  }
#else
  GTEST_SKIP() << "built for another processor";
#endif
}

}  // namespace
}  // namespace reel
