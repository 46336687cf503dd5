// `export`: several segments as one file.
#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

#include "json_output.hpp"
#include "media/join.hpp"
#include "tool/actions.hpp"

namespace record {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw reel::Error(reel::ErrorCode::bad_argument, message, "recordings");
}

void check_one_recording(const std::vector<SegmentRecord>& segments) {
  for (const SegmentRecord& each : segments) {
    if (each.recording != segments.front().recording)
      refuse("these are segments of '" + segments.front().recording + "' and of '" + each.recording +
             "': say which with --recording");
    if (is_of_event(each) != is_of_event(segments.front()))
      refuse(
          "these are segments of all that was recorded, and of events, which have some of it once more: say "
          "which with "
          "--class continuous or --class event");
  }
}

/// Media time of a wall clock's, by the segment in which it lies.
std::int64_t media_time(const SegmentRecord& segment, std::int64_t utc_ns) {
  return segment.start_ns + (utc_ns - segment.start_utc_ns);
}

JoinSettings settings_of(const Request& request, const std::vector<SegmentRecord>& segments) {
  JoinSettings settings;
  settings.container = request.output.ends_with(".mp4") ? Container::mp4 : Container::matroska;
  if (request.query.from_utc_ns > segments.front().start_utc_ns)
    settings.from_ns = media_time(segments.front(), request.query.from_utc_ns);
  if (request.query.to_utc_ns < segments.back().end_utc_ns)
    settings.to_ns = media_time(segments.back(), request.query.to_utc_ns);
  return settings;
}

}  // namespace

int export_file(Catalog& catalog, const Request& request) {
  if (request.output.empty()) refuse("export needs --output FILE: a new .mkv, or .mp4 for browsers");
  std::vector<SegmentRecord> segments = chosen(catalog, request);
  std::erase_if(segments, [](const SegmentRecord& each) {
    return each.state == SegmentState::open || each.state == SegmentState::broken;
  });
  if (segments.empty())
    refuse("nothing finished was recorded then: `reel recordings ls` lists what there is");
  check_one_recording(segments);
  // Media time is not set back by a step of the wall clock.
  std::sort(segments.begin(), segments.end(),
            [](const SegmentRecord& a, const SegmentRecord& b) { return a.start_ns < b.start_ns; });
  std::vector<JoinPart> parts;
  for (const SegmentRecord& each : segments)
    parts.push_back({catalog.store().whole_path(each.path), each.start_ns});
  const Probe made = join(parts, settings_of(request, segments), request.output);
  if (request.json) {
    nlohmann::json tracks = nlohmann::json::array();
    for (const ProbedTrack& track : made.tracks)
      tracks.push_back({{"codec", track.codec}, {"frames", track.frames}, {"end_ns", track.end_ns}});
    print_json(
        {{"file", request.output}, {"bytes", made.bytes}, {"segments", segments.size()}, {"tracks", tracks}});
  } else {
    fmt::print("{}: {} of {}, {}\n", request.output, reel::duration_text(made.duration_ns.value_or(0)),
               segments_text(segments.size()), reel::bytes_text(made.bytes));
  }
  return 0;
}

}  // namespace record
