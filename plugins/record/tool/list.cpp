// `ls` and `show`.
#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

#include "catalog/segment_name.hpp"
#include "json_output.hpp"
#include "table.hpp"
#include "tool/actions.hpp"

namespace record {

namespace {

std::string length_text(std::int64_t start_ns, std::int64_t end_ns) {
  return reel::duration_text(std::max<std::int64_t>(end_ns - start_ns, 0));
}

std::uint64_t pictures(const SegmentRecord& segment) {
  std::uint64_t frames = 0;
  for (const Track& track : segment.tracks) frames += track.media == "video" ? track.frames : 0;
  return frames;
}

std::string events_text(const SegmentRecord& segment) {
  std::vector<std::string> kinds;
  for (const EventMark& mark : segment.events) {
    if (std::find(kinds.begin(), kinds.end(), mark.kind) == kinds.end()) kinds.push_back(mark.kind);
  }
  std::string text;
  for (const std::string& kind : kinds) text += (text.empty() ? "" : " ") + kind;
  return text;
}

/// How it is called to people; of one that is open or not quite right, that as well.
std::string class_text(const SegmentRecord& segment) {
  std::string text(to_string(segment.kind));
  if (segment.state != SegmentState::finished) text += ", " + std::string(to_string(segment.state));
  return text;
}

nlohmann::json to_list(const std::vector<SegmentRecord>& segments) {
  nlohmann::json list = nlohmann::json::array();
  for (const SegmentRecord& each : segments) list.push_back(nlohmann::json::parse(record::to_json(each)));
  return list;
}

void print_list(const Catalog& catalog, const Request& request) {
  Table table({{"BEGINS"},
               {"LENGTH", true},
               {"RECORDING"},
               {"CLASS"},
               {"PICTURES", true},
               {"SIZE", true},
               {"GAPS", true},
               {"EVENTS"},
               {"SEGMENT"}});
  std::uint64_t bytes = 0;
  std::int64_t length_ns = 0;
  std::size_t count = 0;
  for_chosen(catalog, request, [&](const SegmentRecord& each) {
    ++count;
    table.add_row({local_text(each.start_utc_ns), length_text(each.start_ns, each.end_ns), each.recording,
                   class_text(each), fmt::format("{}", pictures(each)), reel::bytes_text(each.bytes),
                   fmt::format("{}", each.gaps.size()), events_text(each), each.path});
    bytes += each.bytes;
    length_ns += std::max<std::int64_t>(each.end_ns - each.start_ns, 0);
  });
  if (count == 0) return fmt::print("no such recordings in {}\n", catalog.store().directory());
  table.print();
  fmt::print("{}, {}, {}\n", segments_text(count), reel::duration_text(length_ns), reel::bytes_text(bytes));
}

/// Seconds into the segment.
std::string at(const SegmentRecord& segment, std::int64_t media_ns) {
  return fmt::format("{:.3f}", static_cast<double>(media_ns - segment.start_ns) / 1e9);
}

void print_tracks(const SegmentRecord& segment) {
  Table table(
      {{"STREAM"}, {"MEDIA"}, {"CODEC"}, {"FRAMES", true}, {"FIRST", true}, {"FROM", true}, {"TO", true}}, 2);
  for (const Track& track : segment.tracks)
    table.add_row({track.stream, track.media, track.codec, fmt::format("{}", track.frames),
                   fmt::format("{}", track.first_frame), at(segment, track.start_ns),
                   at(segment, track.end_ns)});
  if (!segment.tracks.empty()) table.print();
}

void print_one(const SegmentRecord& segment) {
  fmt::print("{}\n  recording {}, {}, {}, {}\n", segment.path, segment.recording, class_text(segment),
             segment.container, reel::bytes_text(segment.bytes));
  fmt::print("  {} to {} ({})\n", utc_text(segment.start_utc_ns), utc_text(segment.end_utc_ns),
             length_text(segment.start_ns, segment.end_ns));
  print_tracks(segment);
  for (const Gap& gap : segment.gaps)
    fmt::print("  gap in {} at {} to {}: {} frames, {}\n", gap.stream, at(segment, gap.start_ns),
               at(segment, gap.end_ns), gap.frames, gap.reason);
  for (const EventMark& mark : segment.events)
    fmt::print("  event {} ({}) at {} to {}{}{}\n", mark.id, mark.kind, at(segment, mark.start_ns),
               at(segment, mark.end_ns), mark.note.empty() ? "" : ": ", reel::printable(mark.note));
  for (const Sighting& sighting : segment.sightings)
    fmt::print("  {} in {} by {}: {}{}, highest {:.3g}, at {} to {}\n", sighting.type, sighting.stream,
               sighting.name, sighting.label.empty() ? "" : sighting.label + " ", sighting.count,
               sighting.highest, at(segment, sighting.first_ns), at(segment, sighting.last_ns));
}

}  // namespace

int list(Catalog& catalog, const Request& request) {
  if (request.json) {
    print_json(to_list(chosen(catalog, request)));
  } else {
    print_list(catalog, request);
  }
  return 0;
}

int show(Catalog& catalog, const Request& request) {
  const std::vector<SegmentRecord> segments = chosen_by_word(catalog, request);
  if (request.json) {
    print_json(to_list(segments));
    return 0;
  }
  for (const SegmentRecord& each : segments) print_one(each);
  return 0;
}

}  // namespace record
