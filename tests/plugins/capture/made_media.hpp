// Small media files, made by GStreamer when a test needs them. Single-thread.
#pragma once

#include <string>

#include <reel_test/scratch_dir.hpp>

namespace capture_test {

/// A directory of them.
class MediaDir : public reel_test::ScratchDir {
 public:
  /// Runs `pipeline ! filesink` to its end; returns the file's path. The pipeline ends in a muxer.
  [[nodiscard]] std::string make(const std::string& name, const std::string& pipeline) const;
};

/// A picture of 160x120 at 25 frames a second, to go before an encoder.
[[nodiscard]] std::string small_picture(int frames);
/// 100 ms of a tone per buffer, 48 kHz, one channel.
[[nodiscard]] std::string small_sound(int buffers);

}  // namespace capture_test
