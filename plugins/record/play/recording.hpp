// Which files of which recording are played, and what is in them. Called by the stage `playback` and by the
// `reel play` command; without GStreamer. Reads files; single-thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "catalog/segment.hpp"
#include "facts/frame_facts.hpp"

namespace record {

/// What of a recording is played, in media time.
struct Cut {
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();  // the first that is not
};

struct RecordedFile {
  std::string path;
  std::string facts_path;                 // empty: it has none
  std::optional<SegmentRecord> manifest;  // nullopt: it has none
  std::vector<FactsTrack> tracks;         // by its facts or its manifest; else "video" and "audio"
  /// Media time at which the file begins; kNoTime: only its facts know.
  std::int64_t origin_ns = 0;
};

struct Recording {
  std::string name;
  std::vector<RecordedFile> files;  // in the order of their times
  Cut cut;
  /// Streams that it was recorded from, in the order of its tracks.
  [[nodiscard]] std::vector<FactsTrack> streams() const;
};

struct Selection {
  std::string path;       // of one file, or of a directory of recordings
  std::string recording;  // in a directory: which; empty: the only one that is there
  std::string from, to;   // kPlayTimeText; empty: its beginning, its end
};

inline constexpr const char* kPlayTimeText =
    "a time such as 2026-11-22T14:03:00Z, \"2026-11-22 14:03\" or 14:03 (local), or +90s for one after the "
    "recording's start";

/// Throws reel::Error{not_found | bad_argument}, saying what there is instead.
[[nodiscard]] Recording find_recording(const Selection& selection);

}  // namespace record
