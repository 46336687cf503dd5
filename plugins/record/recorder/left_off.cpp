#include "recorder/left_off.hpp"

#include <algorithm>
#include <optional>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "facts/frame_facts.hpp"

namespace record {
namespace {

void add(LeftOff& stream, const FrameFacts& facts) {
  if (stream.frames++ == 0) {
    stream.first_frame = facts.frame;
    stream.start_ns = facts.media_ns;
  }
  const std::int64_t duration_ns = std::max<std::int64_t>(0, facts.info.duration_ns);  // not known: kNoTime
  stream.next_frame = std::max(stream.next_frame, facts.frame + 1);
  stream.end_ns = std::max(stream.end_ns, facts.media_ns + duration_ns);
}

}  // namespace

std::vector<LeftOff> left_off(const std::string& frames_path) {
  std::vector<LeftOff> found;
  try {
    FactsReader reader(frames_path);
    while (const std::optional<FrameFacts> facts = reader.next()) {
      if (facts->track >= reader.tracks().size()) continue;
      found.resize(std::max(found.size(), reader.tracks().size()));
      add(found[facts->track], *facts);
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i].stream = reader.tracks()[i].stream;
      found[i].media = reader.tracks()[i].media;
    }
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::not_found) reel::log_warning(error.what());
  }
  std::erase_if(found, [](const LeftOff& stream) { return stream.frames == 0 || stream.stream.empty(); });
  return found;
}

void bring_up_to_date(SegmentRecord& record, const std::vector<LeftOff>& facts) {
  for (const LeftOff& stream : facts) {
    auto track = std::find_if(record.tracks.begin(), record.tracks.end(),
                              [&](const Track& one) { return one.stream == stream.stream; });
    if (track == record.tracks.end()) {
      Track made;
      made.stream = stream.stream;
      made.media = stream.media;
      made.first_frame = stream.first_frame;
      made.start_ns = stream.start_ns;
      track = record.tracks.insert(record.tracks.end(), made);
    }
    if (stream.media == "video") track->frames = std::max(track->frames, stream.frames);
    track->end_ns = std::max(track->end_ns, stream.end_ns);
    record.end_ns = std::max(record.end_ns, stream.end_ns);
  }
  record.end_utc_ns = record.start_utc_ns + (record.end_ns - record.start_ns);
}

}  // namespace record
