// How many frames a second a writer makes that fills each with memset, with a lossless reader behind it,
// against memset alone. For information: with checksum full both sides read every byte again.
#include "bench.hpp"
#include "process_pair.hpp"

#include <cstring>
#include <stdexcept>

#include <sys/mman.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace reel_bench {
namespace {

struct Variant {
  const char* name;
  std::uint32_t width, height;
  reel::ChecksumMode checksum;
};

constexpr Variant kVariants[] = {
    {"unpaced 1080p NV12, no checksum", 1920, 1080, reel::ChecksumMode::none},
    {"unpaced 1080p NV12, checksum full", 1920, 1080, reel::ChecksumMode::full},
    {"unpaced 4K NV12, no checksum", 3840, 2160, reel::ChecksumMode::none},
    {"unpaced 4K NV12, checksum full", 3840, 2160, reel::ChecksumMode::full},
};
constexpr std::size_t kSlots = 8;

double per_second(int frames, std::int64_t begin_ns) {
  return frames * 1e9 / static_cast<double>(std::max<std::int64_t>(reel::monotonic_ns() - begin_ns, 1));
}

double fill_alone(std::byte* buffers, std::size_t frame_bytes, int frames) {
  const std::int64_t begin_ns = reel::monotonic_ns();
  for (int i = 0; i < frames; ++i)
    std::memset(buffers + static_cast<std::size_t>(i) % kSlots * frame_bytes, i, frame_bytes);
  return per_second(frames, begin_ns);
}

double fill_and_publish(reel::FrameWriter& writer, int frames) {
  const std::int64_t begin_ns = reel::monotonic_ns();
  for (int i = 0; i < frames; ++i) {
    reel::Loan loan;
    if (writer.acquire(loan) != reel::WriteStatus::ok) throw std::runtime_error(writer.error());
    std::memset(loan.data().data(), i, loan.size());
    if (writer.publish(std::move(loan), {}) != reel::WriteStatus::ok)
      throw std::runtime_error(writer.error());
  }
  return per_second(frames, begin_ns);
}

void write_frames(const Variant& variant, const Scale& scale, Rows& rows) {
  reel::FrameWriter writer("unpaced",
                           reel::VideoFormat{reel::PixelFormat::NV12, variant.width, variant.height},
                           {.slots = kSlots, .checksum = variant.checksum, .wait_for = {"taker"}});
  const std::size_t frame_bytes = std::size_t{variant.width} * variant.height * 3 / 2;
  void* place = ::mmap(nullptr, kSlots * frame_bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no memory for frames to fill");
  auto* buffers = static_cast<std::byte*>(place);
  std::vector<double> ours;
  std::vector<double> floor;
  for (int round = 0; round < scale.fill_rounds; ++round) {
    floor.push_back(fill_alone(buffers, frame_bytes, scale.fill_frames));
    ours.push_back(fill_and_publish(writer, scale.fill_frames));
  }
  writer.end();
  (void)writer.drain();
  ::munmap(place, kSlots * frame_bytes);
  rows.push_back({variant.name, "frames/s", median(ours), median(floor)});
}

void take_frames() {
  reel::FrameReader reader("unpaced", {.name = "taker", .policy = reel::Policy::lossless});
  reel::Frame frame;
  reel::ReadStatus status = reel::ReadStatus::empty;
  while ((status = reader.read(frame)) == reel::ReadStatus::frame) {
  }
  if (status != reel::ReadStatus::ended)
    throw std::runtime_error("the reader of an unpaced writer: " + reader.error());
}

}  // namespace

void measure_unpaced_writer(const Scale& scale, Rows& rows) {
  for (const Variant& variant : kVariants)
    run_pair([&](SharedBoard&) { write_frames(variant, scale, rows); }, [](SharedBoard&) { take_frames(); });
}

}  // namespace reel_bench
