#include "recorder/repair_pass.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>

#include "catalog/segment_name.hpp"
#include "recorder/lead_file.hpp"
#include "facts/facts_summary.hpp"
#include "media/file_kind.hpp"
#include "media/repair.hpp"

namespace record {
namespace {

/// A track as it was known before the file was read: by the facts beside it, which begin with its first
/// frame, else by a manifest, which may be older than the track.
struct Known {
  Track track;
  std::optional<TrackSummary> facts;
};

[[nodiscard]] std::vector<Known> known_of(const Abandoned& file) {
  std::vector<Known> known;
  for (TrackSummary& facts : summary_of(frames_path_of(file.file))) {
    Known& made = known.emplace_back();
    made.track.stream = facts.track.stream;
    made.track.media = facts.track.media;
    made.track.first_frame = facts.first.frame;
    made.facts = std::move(facts);
  }
  if (!known.empty()) {
    // Those of which nothing is known but that they are in it come last.
    const FactsReader reader(frames_path_of(file.file));
    for (const FactsTrack& track : reader.tracks()) {
      if (std::any_of(known.begin(), known.end(),
                      [&](const Known& one) { return one.track.stream == track.stream; }))
        continue;
      Known& made = known.emplace_back();
      made.track.stream = track.stream;
      made.track.media = track.media;
    }
    return known;
  }
  for (const Track& track : file.record.tracks) known.push_back({track, std::nullopt});
  return known;
}

/// Of the tracks in the header of a segment or its lead, in their order: those that the facts name, but for
/// those that left before they had a frame. `least`: there are so many.
[[nodiscard]] std::vector<std::string> streams_in_header(const Abandoned& file,
                                                         const std::optional<Lead>& lead, std::size_t least) {
  const FactsReader facts(frames_path_of(file.file));
  std::vector<std::string> all;
  for (const FactsTrack& track : facts.tracks()) all.push_back(track.stream);
  std::vector<std::string> begun;
  if (lead) {
    for (const std::size_t track : lead->tracks)
      begun.push_back(track < all.size() ? all[track] : std::string());
    return begun;
  }
  const std::vector<TrackSummary> known = summary_of(frames_path_of(file.file));
  for (const std::string& stream : all)
    if (std::any_of(known.begin(), known.end(),
                    [&](const TrackSummary& track) { return track.track.stream == stream; }))
      begun.push_back(stream);
  return begun.size() < least ? all : begun;  // it was killed before the first fact of one was written
}

/// Of each track of what was repaired; empty text, or none at all, where it is not known.
[[nodiscard]] std::vector<std::string> streams_of(const Abandoned& file, const std::optional<Lead>& lead,
                                                  const std::vector<std::size_t>& places) {
  std::vector<std::string> streams;
  try {
    const std::size_t least = places.empty() ? 0 : *std::max_element(places.begin(), places.end()) + 1;
    const std::vector<std::string> header = streams_in_header(file, lead, least);
    for (const std::size_t place : places)
      streams.push_back(place < header.size() ? header[place] : std::string());
  } catch (const reel::Error& error) {
    reel::log_warning(error.what());
  }
  return streams;
}

/// That of `stream`, or the first of that kind where it is not known: the file has them in the same order. It
/// is then no more among `known`.
[[nodiscard]] Known take_known(std::vector<Known>& known, const ProbedTrack& probed,
                               const std::string& stream) {
  const std::string media = probed.video ? "video" : "audio";
  const auto found = std::find_if(known.begin(), known.end(), [&](const Known& one) {
    return stream.empty() ? one.track.media == media : one.track.stream == stream;
  });
  Known made;
  made.track.stream = stream;
  made.track.media = media;
  if (found == known.end()) return made;
  made = std::move(*found);
  known.erase(found);
  return made;
}

/// Media time of the file's time 0: of a picture, whose time in the file is that of its facts.
[[nodiscard]] std::int64_t origin_of(const std::vector<Known>& tracks, const Probe& probe,
                                     std::int64_t otherwise_ns) {
  for (std::size_t i = 0; i < tracks.size(); ++i)
    if (tracks[i].facts && probe.tracks[i].video && probe.tracks[i].frames != 0)
      return *std::min_element(tracks[i].facts->begins_ns.begin(), tracks[i].facts->begins_ns.end()) -
             probe.tracks[i].first_ns;
  return otherwise_ns;
}

/// Frames that were written and are not in the file: the muxer had them, or the page cache.
[[nodiscard]] std::uint64_t missing_of(const Known& known) {
  const std::vector<std::int64_t>& begins_ns = known.facts->begins_ns;
  if (known.track.media == "video")
    return begins_ns.size() > known.track.frames ? begins_ns.size() - known.track.frames : 0;
  return static_cast<std::uint64_t>(
      std::count_if(begins_ns.begin(), begins_ns.end(),
                    [&](std::int64_t begin_ns) { return begin_ns >= known.track.end_ns; }));
}

/// `streams` are those that the file has, in its order, where that is known.
[[nodiscard]] SegmentRecord record_of(const Abandoned& file, const Probe& probe,
                                      const std::vector<std::string>& streams, const std::string& reason) {
  SegmentRecord record = file.record;
  record.state = SegmentState::repaired;
  record.tracks.clear();
  std::vector<Known> known = known_of(file);
  std::vector<Known> tracks;
  for (std::size_t i = 0; i < probe.tracks.size(); ++i)
    tracks.push_back(take_known(known, probe.tracks[i], i < streams.size() ? streams[i] : std::string()));
  const std::int64_t origin_ns = origin_of(tracks, probe, record.start_ns);
  std::int64_t start_ns = std::numeric_limits<std::int64_t>::max();
  record.end_ns = origin_ns;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    const ProbedTrack& probed = probe.tracks[i];
    Track& track = tracks[i].track;
    track.codec = probed.codec;
    track.caps = probed.caps;
    track.frames = probed.frames;
    track.start_ns = origin_ns + probed.first_ns;
    track.end_ns = origin_ns + probed.end_ns;
    start_ns = std::min(start_ns, track.start_ns);
    record.end_ns = std::max(record.end_ns, track.end_ns);
    record.tracks.push_back(track);
    if (const std::uint64_t missing = tracks[i].facts ? missing_of(tracks[i]) : 0; missing != 0)
      record.gaps.push_back(
          {track.stream, track.end_ns, std::max(track.end_ns, tracks[i].facts->end_ns()), missing, reason});
  }
  for (const Known& absent : known)  // the file has nothing of it
    if (absent.facts)
      record.gaps.push_back({absent.track.stream, absent.facts->first.media_ns, absent.facts->end_ns(),
                             absent.facts->begins_ns.size(), reason});
  if (!tracks.empty()) record.start_utc_ns += start_ns - std::exchange(record.start_ns, start_ns);
  record.end_utc_ns = record.start_utc_ns + (record.end_ns - record.start_ns);
  return record;
}

/// The muxer had not come to the first frame.
[[nodiscard]] bool holds_nothing(const std::string& path) {
  try {
    return is_header_alone(path, container_of(path));
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::protocol) throw;
    return false;
  }
}

void rename_over(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) reel::throw_errno(errno, "cannot rename " + from, to);
}

}  // namespace

std::vector<Gap> lost_with(const SegmentRecord& manifest, const std::string& reason) {
  std::vector<Gap> gaps;
  for (const Track& track : manifest.tracks)
    gaps.push_back(
        {track.stream, track.start_ns, std::max(track.start_ns, track.end_ns), track.frames, reason});
  return gaps;
}

std::vector<Gap> lost_with(const Abandoned& file, const std::string& reason) {
  std::vector<Gap> gaps;
  for (const TrackSummary& facts : summary_of(frames_path_of(file.file))) {
    const std::int64_t start_ns = facts.first.media_ns;
    gaps.push_back(
        {facts.track.stream, start_ns, std::max(start_ns, facts.end_ns()), facts.begins_ns.size(), reason});
  }
  return gaps.empty() ? lost_with(file.record, reason) : gaps;
}

std::optional<SegmentRecord> repair_abandoned(Catalog& catalog, const Abandoned& file,
                                              const std::string& reason) {
  const std::optional<Lead> lead = best_lead(file.file);
  if (!lead && (file.record.bytes == 0 || holds_nothing(file.file))) {
    catalog.discard(file.record.path, "it was left open with nothing in it");
    return std::nullopt;
  }
  const std::string stem = stem_of(file.file);
  const std::string repaired = stem + ".repaired";
  (void)::unlink(repaired.c_str());  // of a repair that was cut short
  try {
    const Repaired made = repair(lead ? lead->path : file.file, repaired);
    const std::vector<std::string> streams = streams_of(file, lead, made.places);
    rename_over(repaired, file.file);
    remove_leads(file.file);
    reel::log_info("closed " + file.record.path +
                   ", which was left open: " + reel::bytes_text(made.probe.bytes));
    return record_of(file, made.probe, streams, reason);
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::protocol) throw;
    reel::log_error("it was left open, cannot be read, and is kept as it is: " + std::string(error.what()));
  }
  remove_leads(file.file);
  // Under its name and with a manifest, so that retention takes it in its turn.
  SegmentRecord record = file.record;
  record.state = SegmentState::broken;
  record.tracks.clear();
  for (Gap& gap : lost_with(file, reason)) record.gaps.push_back(std::move(gap));
  return record;
}

}  // namespace record
