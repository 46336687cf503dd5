// What a launch line makes of a film: every buffer that came to its sinks "video" and "audio". In this
// process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace gstreamer_test {

struct Track {
  struct Piece {
    GstClockTime pts;  // running time
    std::uint64_t bytes;
    std::uint64_t hash;  // of its bytes
    bool operator==(const Piece&) const = default;
  };
  std::vector<Piece> pieces;

  [[nodiscard]] std::uint64_t bytes() const;
  /// Of the content as one run of bytes, however it was cut.
  [[nodiscard]] std::uint64_t hash_of_all() const { return all_; }
  void add(GstClockTime pts, const std::uint8_t* data, std::size_t size);

 private:
  std::uint64_t all_ = 14695981039346656037u;
};

struct Film {
  Track video, audio;
  std::string error;  // empty when it was played to its end
};

/// `line` with "fakesink name=video" and "fakesink name=audio" in it, or one of them.
[[nodiscard]] Film play_film(const std::string& line);

}  // namespace gstreamer_test
