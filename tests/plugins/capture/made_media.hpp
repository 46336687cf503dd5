// Small media files, made by GStreamer when a test needs them. Single-thread.
#pragma once

#include <string>

namespace capture_test {

/// A directory that goes with its contents.
class MediaDir {
 public:
  MediaDir();
  MediaDir(const MediaDir&) = delete;
  MediaDir& operator=(const MediaDir&) = delete;
  ~MediaDir();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Runs `pipeline ! filesink` to its end; returns the file's path. The pipeline ends in a muxer.
  [[nodiscard]] std::string make(const std::string& name, const std::string& pipeline) const;
  [[nodiscard]] std::string write(const std::string& name, const std::string& bytes) const;

 private:
  std::string path_;
};

/// The whole content of a file.
[[nodiscard]] std::string read_all(const std::string& path);

/// A picture of 160x120 at 25 frames a second, to go before an encoder.
[[nodiscard]] std::string small_picture(int frames);
/// 100 ms of a tone per buffer, 48 kHz, one channel.
[[nodiscard]] std::string small_sound(int buffers);

}  // namespace capture_test
