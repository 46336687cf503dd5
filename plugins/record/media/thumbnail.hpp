// One picture as a JPEG: of a file at a time, of a frame, of an encoded key frame. For events. Thread-safe
// after gst_init().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "unit.hpp"

namespace record {

struct PictureSize {
  int max_width = 320;  // smaller pictures stay as they are; the shape is kept
  int quality = 80;     // 1 to 100
};

/// `buffer` of `caps`: raw video, or a picture that can be decoded alone (a key unit with its caps). Throws
/// reel::Error{unsupported} where a decoder is missing, reel::Error{protocol} for one that cannot be decoded.
[[nodiscard]] std::vector<std::byte> jpeg_of(const GstCaps* caps, GstBuffer* buffer, PictureSize size = {});

/// The picture that the file shows at `time_ns` of the file (the last one when it is shorter). Throws
/// reel::Error{not_found} for a file without pictures.
[[nodiscard]] std::vector<std::byte> thumbnail(const std::string& path, std::int64_t time_ns,
                                               PictureSize size = {});

}  // namespace record
