// Where a recording stood when its last recorder ended, however it ended: what a new one goes on from, so
// that no number comes twice and what was missed meanwhile is counted. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/clock.hpp>

#include "catalog/catalog.hpp"
#include "recorder/settings.hpp"

namespace record {

/// Of one stream.
struct Standing {
  std::uint64_t next_number = 0;              // of its next frame
  std::optional<std::int64_t> end_ns;         // media time of the end of its last frame
  std::uint64_t sequence = 0;                 // of that frame in the stream; 0: not known
  std::int64_t published_ns = reel::kNoTime;  // CLOCK_MONOTONIC
  bool all_taken = true;                      // no frame was passed over on purpose (`every`, `latest`)

  /// Frames between the last one and the first that a new recorder gets, of which its reader says that it
  /// missed `missed_before`. nullopt: it is recorded already. `memory_since_ns`:
  /// FrameReader::memory_created_ns(), by which the writer is the same one.
  [[nodiscard]] std::optional<std::uint64_t> missed_until(std::uint64_t sequence, std::uint64_t missed_before,
                                                          std::int64_t memory_since_ns) const;
};

struct Resumed {
  std::optional<SegmentRecord> last;  // the newest segment, one that was left open included, to its real end
  std::vector<Standing> streams;      // in the order in which they were asked for
};

/// Of the recording of this name, of which `left` was left open: their manifests are mended, so that
/// each gap is told of in one.
[[nodiscard]] Resumed resume(const Catalog& catalog, const RecordSettings& settings,
                             const std::vector<std::string>& streams, std::vector<Abandoned>& left);

}  // namespace record
