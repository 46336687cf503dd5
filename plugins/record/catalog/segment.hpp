// What is known of one recorded file: its manifest, which lies beside it as JSON and is what the index is
// made from. Pure values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace record {

/// Which rules of retention a segment is under.
enum class SegmentClass { continuous, event, protected_ };
[[nodiscard]] std::string_view to_string(SegmentClass value) noexcept;  // "continuous", "event", "protected"
[[nodiscard]] std::optional<SegmentClass> segment_class_from(std::string_view text) noexcept;

enum class SegmentState {
  open,      // being written
  finished,  // closed by the recorder that wrote it
  repaired,  // was left open, and closed by a later start
  broken     // was left open, and nothing in it can be played: kept as it is until retention takes it
};
[[nodiscard]] std::string_view to_string(SegmentState value) noexcept;
[[nodiscard]] std::optional<SegmentState> segment_state_from(std::string_view text) noexcept;

struct Track {
  std::string stream;             // the stream it was recorded from
  std::string media;              // "video", "audio"
  std::string codec;              // "h264", "h265", "mjpeg", "ffv1", "raw", "aac", "opus", "flac", "pcm"
  std::string caps;               // of what is in the file, as GStreamer writes them, without codec data
  std::uint64_t frames = 0;       // units in the file; of raw or encoded video: pictures
  std::uint64_t first_frame = 0;  // number of the first one in the recording of this track, from 0
  std::int64_t start_ns = 0;      // media time of the first unit
  std::int64_t end_ns = 0;        // media time of the end of the last one
};

/// Something that was published, or should have been, and is not in the file.
struct Gap {
  std::string stream;
  std::int64_t start_ns = 0;  // media time
  std::int64_t end_ns = 0;
  std::uint64_t frames = 0;  // how many; 0: none were published (a camera that was away)
  std::string reason;        // "the camera was away", "the spool was full", "the disk was full", ...
};

/// Three clocks at one moment: how media time runs against the wall clock and the machine's.
struct ClockPair {
  std::int64_t media_ns = 0;
  std::int64_t monotonic_ns = 0;  // CLOCK_MONOTONIC of this boot
  std::int64_t utc_ns = 0;        // since 1970
};

/// What was seen in it and made it an event.
struct EventMark {
  std::string id;    // of the event that it belongs to; the same in each segment that it goes through
  std::string kind;  // "motion", "detections", "level", "call", ...
  std::int64_t start_ns = 0;  // media time
  std::int64_t end_ns = 0;
  std::string note;          // what the caller said, or what was seen: "person 0.93"
  double score = 0;          // the highest
  std::int64_t best_ns = 0;  // media time of the frame that had it
  std::string picture;       // path of its snapshot below the directory, empty: none; the same for the next
  std::string thumbnail;
};

/// What vision and hearing said while it was recorded, summed up for the index; each frame's is in `.frames`.
struct Sighting {
  std::string stream;
  std::string type;   // of side data: "motion", "detections", "audio_level", ...
  std::string name;   // who found it: "opencv.motion"
  std::string label;  // of detections: what; else empty
  std::uint64_t count = 0;
  double highest = 0;         // score or level
  std::int64_t first_ns = 0;  // media time
  std::int64_t last_ns = 0;
};

struct SegmentRecord {
  std::string path;       // of the file, below the directory of recordings: "2026-11-22/door_....mkv"
  std::string recording;  // name of the recorder's stage
  /// Counts the segments of a directory in the order in which they were begun, whatever the clock said; given
  /// by Catalog::begin(). 0: not known.
  std::uint64_t sequence = 0;
  SegmentClass kind = SegmentClass::continuous;
  SegmentState state = SegmentState::open;
  std::string container;          // "matroska" or "mp4"
  std::int64_t start_ns = 0;      // media time of the earliest unit
  std::int64_t end_ns = 0;        // media time of the end of the latest
  std::int64_t start_utc_ns = 0;  // wall clock of `start_ns`, since 1970
  std::int64_t end_utc_ns = 0;    // that of `end_ns`
  std::uint64_t bytes = 0;        // of the file
  std::vector<Track> tracks;
  std::vector<Gap> gaps;
  std::vector<ClockPair> clocks;
  std::string boot;  // the kernel's start that `monotonic_ns` of these counts from; empty: not known
  std::vector<EventMark> events;
  std::vector<Sighting> sightings;
};

/// One JSON object, `"version": 1` in it.
[[nodiscard]] std::string to_json(const SegmentRecord& record);
/// Throws reel::Error{bad_argument} naming the field that is missing or wrong, at `where`. Unknown fields are
/// left out; another version is refused.
[[nodiscard]] SegmentRecord segment_from_json(std::string_view text, const std::string& where);

}  // namespace record
