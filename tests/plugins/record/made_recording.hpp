// Recordings that tests play: made by the recorder's own encoders and muxer, without its stage.
// Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>

namespace reel_test {

/// When media time 0 of a made recording was.
inline constexpr std::int64_t kMadeAt_ns = 1'795'000'000'000'000'000;

struct MadeFrame {
  std::vector<std::byte> bytes;
  std::int64_t media_ns = 0;
  reel::FrameInfo info;
  std::vector<std::byte> side_data;
};

struct MadeStream {
  std::string name;
  reel::Format format;
  std::string codec;  // "ffv1", "h264", "flac", ...
  std::vector<MadeFrame> frames;
};

/// Noise in a picture's size, another in each: nothing that a codec with losses would give back. Every third
/// has side data; pts begin at an hour, capture times at 5 s.
[[nodiscard]] MadeStream made_pictures(const std::string& name, reel::PixelFormat pixel, std::size_t count,
                                       int fps = 25);
/// Noise of 48 kHz in blocks of 20 ms.
[[nodiscard]] MadeStream made_sound(const std::string& name, std::size_t blocks);

struct MadeSegment {
  std::string path;
  std::vector<std::size_t> units;  // of each stream
};

/// Writes `recording` into `directory`, a new file at the first key frame at or after each of `cuts`, with
/// manifests and facts. Media time 0 is `start_utc_ns`.
std::vector<MadeSegment> make_recording(const std::string& directory, const std::string& recording,
                                        const std::vector<MadeStream>& streams,
                                        const std::vector<std::int64_t>& cuts = {},
                                        std::int64_t start_utc_ns = kMadeAt_ns);

/// The same of one file of an event.
MadeSegment make_event(const std::string& directory, const std::string& recording,
                       const std::vector<MadeStream>& streams, std::int64_t from_ns, std::int64_t to_ns);

}  // namespace reel_test
