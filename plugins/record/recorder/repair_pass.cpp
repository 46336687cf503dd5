#include "recorder/repair_pass.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>

#include "catalog/segment_name.hpp"
#include "facts/frame_facts.hpp"
#include "media/repair.hpp"

namespace record {
namespace {

/// What the facts beside the file tell of its tracks, which they do from its first frame on: the manifest may
/// be older than a track.
[[nodiscard]] std::vector<Track> tracks_of_facts(const std::string& path) {
  std::vector<Track> tracks;
  std::vector<bool> begun;
  try {
    FactsReader reader(path);
    for (const FactsTrack& facts : reader.tracks()) {
      Track& track = tracks.emplace_back();
      track.stream = facts.stream;
      track.media = facts.media;
    }
    begun.resize(tracks.size());
    while (const std::optional<FrameFacts> facts = reader.next()) {
      if (facts->track >= tracks.size() || begun[facts->track]) continue;
      begun[facts->track] = true;
      tracks[facts->track].first_frame = facts->frame;
      tracks[facts->track].start_ns = facts->media_ns;
    }
  } catch (const reel::Error& error) {
    reel::log_warning(error.what());  // what was read of it is right
  }
  return tracks;
}

/// Media time of the file's begin. Where its first picture is says so: sound may begin before that, and the
/// manifest of an open file may not know it.
[[nodiscard]] std::int64_t start_of(const SegmentRecord& record, const Probe& probe,
                                    const std::vector<Track>& facts) {
  const auto probed = std::find_if(probe.tracks.begin(), probe.tracks.end(),
                                   [](const ProbedTrack& track) { return track.video; });
  const auto known =
      std::find_if(facts.begin(), facts.end(), [](const Track& track) { return track.media == "video"; });
  if (probed == probe.tracks.end() || known == facts.end()) return record.start_ns;
  return known->start_ns - probed->first_ns;
}

/// The first of that kind, which is then no more among `tracks`: the file has them in the same order.
[[nodiscard]] Track take_track(std::vector<Track>& tracks, const ProbedTrack& probed) {
  const std::string media = probed.video ? "video" : "audio";
  const auto found =
      std::find_if(tracks.begin(), tracks.end(), [&](const Track& track) { return track.media == media; });
  Track made;
  made.media = media;
  if (found == tracks.end()) return made;
  made = *found;
  tracks.erase(found);
  return made;
}

[[nodiscard]] SegmentRecord record_of(const Abandoned& file, const Probe& probe) {
  SegmentRecord record = file.record;
  record.path = file.record.path;
  record.state = SegmentState::repaired;
  record.tracks.clear();
  std::vector<Track> known = tracks_of_facts(frames_path_of(file.file));
  const std::int64_t start_ns = start_of(record, probe, known);
  record.start_utc_ns += start_ns - record.start_ns;
  record.start_ns = start_ns;
  if (known.empty()) known = file.record.tracks;
  std::int64_t end_ns = 0;
  for (const ProbedTrack& probed : probe.tracks) {
    Track track = take_track(known, probed);
    track.codec = probed.codec;
    track.caps = probed.caps;
    track.frames = probed.frames;
    track.start_ns = record.start_ns + probed.first_ns;
    track.end_ns = record.start_ns + probed.end_ns;
    end_ns = std::max(end_ns, probed.end_ns);
    record.tracks.push_back(std::move(track));
  }
  record.end_ns = record.start_ns + end_ns;
  record.end_utc_ns = record.start_utc_ns + end_ns;
  return record;
}

void rename_over(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) reel::throw_errno(errno, "cannot rename " + from, to);
}

}  // namespace

std::optional<SegmentRecord> repair_abandoned(Catalog& catalog, const Abandoned& file) {
  if (file.record.bytes == 0) {
    catalog.discard(file.record.path, "it was left open with nothing in it");
    return std::nullopt;
  }
  const std::string stem = stem_of(file.file);
  const std::string repaired = stem + ".repaired";
  (void)::unlink(repaired.c_str());  // of a repair that was cut short
  try {
    const Probe probe = repair(file.file, repaired);
    rename_over(repaired, file.file);
    reel::log_info("closed " + file.record.path + ", which was left open: " + reel::bytes_text(probe.bytes));
    return record_of(file, probe);
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::protocol) throw;
    reel::log_error("it was left open, cannot be read, and is kept as it is: " + std::string(error.what()));
  }
  // Under its name and with a manifest, so that retention takes it in its turn.
  SegmentRecord record = file.record;
  record.state = SegmentState::broken;
  return record;
}

}  // namespace record
