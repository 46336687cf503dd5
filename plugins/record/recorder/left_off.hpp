// How far a recorder had come, by the facts beside its newest file: the manifest of a file that was left open
// is seconds old, and counts sound by packets, not by what was published. Called by the stage's thread at
// start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/segment.hpp"

namespace record {

struct LeftOff {
  std::string stream;
  std::string media;
  std::uint64_t first_frame = 0;
  std::uint64_t next_frame = 0;  // number of the first one that is not in the file
  std::uint64_t frames = 0;
  std::int64_t start_ns = 0;  // media time
  std::int64_t end_ns = 0;
};

/// Of each track that had a frame; what can be read of a file that is damaged, nothing where there is none.
[[nodiscard]] std::vector<LeftOff> left_off(const std::string& frames_path);

/// Brings the manifest of a file that was left open up to them: its end, and how many pictures it should
/// hold.
void bring_up_to_date(SegmentRecord& record, const std::vector<LeftOff>& facts);

}  // namespace record
