// The one pass of Loan::copy_from() over a frame, against memcpy and then XXH3 over what was copied. Buffers
// take turns, as slots do, so that the destination has left the caches by the time it is written again.
#include "bench.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>

#include <sys/mman.h>

#include <reel/base/checksum.hpp>
#include <reel/base/clock.hpp>

namespace reel_bench {
namespace {

constexpr std::size_t kFrameBytes = 1920 * 1080 * 3;
constexpr std::size_t kSources = 8;
constexpr std::size_t kSlots = 8;
constexpr double kMostOfTwoPasses = 0.6;

// Shared memory, as slots are; touched, so that no page is made while we measure.
class Buffers {
 public:
  Buffers(std::size_t count, int fill) : bytes_(count * kStride) {
    void* place = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::runtime_error("no memory for frames to copy");
    data_ = static_cast<std::byte*>(place);
    std::memset(data_, fill, bytes_);
  }
  ~Buffers() { ::munmap(data_, bytes_); }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  [[nodiscard]] std::span<std::byte> at(std::size_t index) const {
    return {data_ + index * kStride, kFrameBytes};
  }

 private:
  static constexpr std::size_t kStride = (kFrameBytes + 4095) / 4096 * 4096;
  std::size_t bytes_;
  std::byte* data_ = nullptr;
};

template <typename Body>
double microseconds(Body&& body) {
  const std::int64_t begin_ns = reel::monotonic_ns();
  body();
  return static_cast<double>(reel::monotonic_ns() - begin_ns) / 1000;
}

}  // namespace

void measure_copy_and_hash(const Scale& scale, Rows& rows) {
  const Buffers sources(kSources, 0x5A);
  const Buffers slots(kSlots, 0);
  std::vector<double> fused_us;
  std::vector<double> two_us;
  std::uint64_t differ = 0;
  std::size_t turn = 0;
  for (int round = 0; round < scale.copies; ++round) {
    std::uint64_t fused = 0;
    std::uint64_t two = 0;
    const auto measure_fused = [&] {
      const auto from = sources.at(turn % kSources);
      const auto to = slots.at(turn++ % kSlots);
      fused_us.push_back(
          microseconds([&] { fused = reel::copy_and_checksum(to.data(), from, reel::ChecksumMode::full); }));
    };
    const auto measure_two = [&] {
      const auto from = sources.at(turn % kSources);
      const auto to = slots.at(turn++ % kSlots);
      two_us.push_back(microseconds([&] {
        std::memcpy(to.data(), from.data(), from.size());
        two = reel::checksum(to);
      }));
    };
    // In turns who is first, so that neither always finds the caches as the other left them.
    if (round % 2 == 0) measure_fused();
    measure_two();
    if (round % 2 != 0) measure_fused();
    differ |= fused ^ two;
  }
  if (differ != 0)
    throw std::runtime_error("the fused copy's checksum differs from the checksum of the copy");
  rows.push_back({"copy and hash, 6 MB", "us", median(fused_us), median(two_us), kMostOfTwoPasses});
}

}  // namespace reel_bench
