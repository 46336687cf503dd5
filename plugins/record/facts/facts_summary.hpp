// What the facts beside a recorded file say of its tracks as a whole. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "facts/frame_facts.hpp"

namespace record {

/// One track with at least one frame.
struct TrackSummary {
  FactsTrack track;
  std::vector<std::int64_t> begins_ns;  // media time of each frame, in the order of the file
  FrameFacts first, last;               // without side data
  std::vector<FactsLoss> lost;          // before any of them
  /// Numbers and sequences went on in the same steps: no frame was passed over on purpose.
  bool all_taken = true;

  [[nodiscard]] std::int64_t end_ns() const;  // media time
};

/// As far as they can be read: what a killed recorder left is; where more is wrong, a warning says so, and
/// what came before counts. Empty where there are none.
[[nodiscard]] std::vector<TrackSummary> summary_of(const std::string& frames_file);

}  // namespace record
