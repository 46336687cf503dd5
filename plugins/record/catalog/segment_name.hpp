// Names of recorded files, and times as people write them. File names are in UTC, so that no change to
// summer time names two files the same or sorts them wrong. Pure but for time_from(), which knows the time
// zone of the process. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace record {

/// "2026-11-22T07:31:16.345Z", to the millisecond, rounded down.
[[nodiscard]] std::string utc_text(std::int64_t utc_ns);
/// The same in the time zone of the process: "2026-11-22 08:31:16".
[[nodiscard]] std::string local_text(std::int64_t utc_ns);

/// Nanoseconds since 1970 of "2026-11-22T07:31:16.345Z", "...+01:00", "20261122T073116.345Z" (as in names);
/// in local time "2026-11-22 14:03[:05[.250]]", "2026-11-22" (its first moment), "14:03" (of today); "now",
/// "-10min" (before now). A local time that the clocks skip or show twice is taken as mktime(3) does. Nullopt
/// for anything else.
[[nodiscard]] std::optional<std::int64_t> time_from(std::string_view text, std::int64_t now_utc_ns);
/// What time_from() reads, for messages.
inline constexpr std::string_view kTimeText =
    "a time such as 2026-11-22T14:03:00Z, \"2026-11-22 14:03\" or 14:03 (local), -10min or now";

/// What the path of a segment says: "2026-11-22/door_20261122T073116.345Z-event-2.mkv".
struct SegmentName {
  std::string recording;
  std::int64_t utc_ns = 0;  // of the first frame, to the millisecond
  bool event = false;
  unsigned number = 1;    // "-2": the second of this name
  std::string extension;  // "mkv", "mp4"
  bool open = false;      // "....open.mkv": being written, or left so
};
/// Below the directory of recordings.
[[nodiscard]] std::string to_path(const SegmentName& name);
/// Nullopt for every other file.
[[nodiscard]] std::optional<SegmentName> segment_name_from(std::string_view path);

/// Of "X.mkv" and "X.open.mkv": "X". All that belongs to a segment is called "X." and something: the manifest
/// "X.json", the frames' facts "X.frames", pictures "X.EVENT.jpg". It is removed with it.
[[nodiscard]] std::string stem_of(std::string_view path);
[[nodiscard]] std::string open_path_of(std::string_view path);      // of "X.mkv": "X.open.mkv"
[[nodiscard]] std::string manifest_path_of(std::string_view path);  // "X.json"
[[nodiscard]] std::string frames_path_of(std::string_view path);    // "X.frames"

/// Throws reel::Error{bad_argument} unless it is 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit.
void check_recording_name(std::string_view name, const std::string& where);

}  // namespace record
