// brighter FROM TO LEVEL FRAMES: reads two running streams, and compares their frames of one time: every byte
// of TO must be that of FROM plus LEVEL, between 0 and 255.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <reel/channel/frame_reader.hpp>

namespace {

constexpr int kWatchdog_ms = 60'000;

bool read(reel::FrameReader& reader, reel::Frame& frame) {
  if (reader.read(frame, kWatchdog_ms) == reel::ReadStatus::frame) return true;
  std::fprintf(stderr, "%s gives no frame\n", reader.stream().c_str());
  return false;
}

bool brighter_by(const reel::Frame& from, const reel::Frame& to, int level) {
  return std::ranges::equal(from.data(), to.data(), [&](std::byte a, std::byte b) {
    return std::clamp(static_cast<int>(a) + level, 0, 255) == static_cast<int>(b);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int level = std::atoi(argv[3]), wanted = std::atoi(argv[4]);
  reel::FrameReader from(argv[1], {.name = "from", .policy = reel::Policy::lossless});
  reel::FrameReader to(argv[2], {.name = "to", .policy = reel::Policy::lossless});
  reel::Frame before, after;
  if (!read(from, before) || !read(to, after)) return 1;
  for (int compared = 0; compared < wanted;) {
    if (before.info().pts_ns < after.info().pts_ns) {
      if (!read(from, before)) return 1;
    } else if (before.info().pts_ns > after.info().pts_ns) {
      if (!read(to, after)) return 1;
    } else {
      if (!brighter_by(before, after, level)) {
        std::fprintf(stderr, "the frame at %lld ns is not brighter by %d\n",
                     static_cast<long long>(before.info().pts_ns), level);
        return 1;
      }
      if (++compared < wanted && !read(from, before)) return 1;
    }
  }
  std::printf("%d frames are brighter by %d\n", wanted, level);
}
