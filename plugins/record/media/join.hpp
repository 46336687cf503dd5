// Several recorded files as one, without transcoding: for `reel recordings export`. Thread-safe after
// gst_init().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "probe.hpp"

namespace record {

struct JoinPart {
  std::string path;
  std::int64_t start_ns = 0;  // media time of the file's 0: SegmentRecord::start_ns
};

struct JoinSettings {
  Container container = Container::matroska;
  /// Media times: from the last key frame at or before `from_ns` to the first picture at or after `to_ns`,
  /// which is left out. The default is everything.
  std::int64_t from_ns = INT64_MIN;
  std::int64_t to_ns = INT64_MAX;
  std::function<bool(double)> on_progress{};  // 0 to 1; false: give up (Error{closed})
};

/// Parts in the order of their times, of one recording. Times of the new file run on as the media times do,
/// so that what is missing between parts is a pause in it. MP4 has its index first and plays in browsers
/// where its codecs do. Throws reel::Error{bad_argument} where parts differ in their tracks or formats
/// (naming the file), or nothing lies between the times; reel::Error{unsupported} for codecs that MP4 cannot
/// hold; reel::Error{in_use} when `output` is there.
Probe join(const std::vector<JoinPart>& parts, const JoinSettings& settings, const std::string& output);

}  // namespace record
