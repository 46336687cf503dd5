#include "recorder/resume.hpp"

#include <algorithm>
#include <utility>

#include "catalog/segment_name.hpp"
#include "facts/facts_summary.hpp"
#include "recorder/time_line.hpp"
#include "recorder/told_gaps.hpp"

namespace record {
namespace {

constexpr std::size_t kFilesLookedAt = 4;  // of each class: two may have been open, and one may lack a stream

/// A file and what the facts beside it say: read once, for all streams.
struct Looked {
  SegmentRecord record;
  std::vector<TrackSummary> tracks;
};

/// Files of events have gaps of their own: in the mode `both` the same ones as continuous files.
struct Told {
  ToldGaps continuous, of_events;
  [[nodiscard]] ToldGaps& in(const SegmentRecord& record) {
    const std::optional<SegmentName> name = segment_name_from(record.path);
    return name && name->event ? of_events : continuous;
  }
};

void take(Standing& standing, const SegmentRecord& record, const TrackSummary& track, Told& told) {
  const std::int64_t end_ns = track.end_ns();
  // What was lost behind its last frame and told of counts as if it had been taken.
  const std::uint64_t lost = told.in(record).frames_from(track.track.stream, end_ns);
  standing.end_ns = std::max(standing.end_ns.value_or(end_ns), end_ns);
  if (track.last.frame + lost < standing.next_number) return;
  standing.next_number = track.last.frame + lost + 1;
  standing.sequence =
      of_this_boot(record) && track.last.sequence != 0 ? track.last.sequence + lost : std::uint64_t{0};
  standing.published_ns = track.last.published_ns;
}

/// By the manifest alone, where facts were lost, or some of them.
void take(Standing& standing, const Track& track) {
  standing.end_ns = std::max(standing.end_ns.value_or(track.end_ns), track.end_ns);
  if (track.first_frame + track.frames <= standing.next_number) return;
  standing.next_number = track.first_frame + track.frames;
  standing.sequence = 0;
}

void take(Standing& standing, const std::string& stream, const Looked& file, Told& told) {
  bool found = false;
  for (const TrackSummary& track : file.tracks) {
    if (track.track.stream != stream) continue;
    take(standing, file.record, track, told);
    found = true;
  }
  for (const Track& track : file.record.tracks)
    if (track.stream == stream && (!found || track.media == "video")) take(standing, track);
}

/// Of one frame there is nothing to be told from: the files before say so.
[[nodiscard]] bool all_taken(const std::vector<Looked>& files, const std::string& stream) {
  bool any = false;
  for (const Looked& file : files)
    for (const TrackSummary& track : file.tracks) {
      if (track.track.stream != stream || track.begins_ns.size() < 2) continue;
      if (!track.all_taken) return false;
      any = true;
    }
  return any;
}

/// The newest of it: of each class, for a long one may have been begun before many short ones.
[[nodiscard]] std::vector<Looked> newest_files(const Catalog& catalog, const std::string& name,
                                               const std::vector<Abandoned>& left) {
  std::vector<Looked> files;
  for (const SegmentClass kind : {SegmentClass::continuous, SegmentClass::event, SegmentClass::protected_}) {
    Query query;
    query.recording = name;
    query.kind = kind;
    query.with_open = false;
    query.newest_first = true;
    query.most = kFilesLookedAt;
    for (SegmentRecord& record : catalog.find(query)) {
      const std::string facts = catalog.store().whole_path(frames_path_of(record.path));
      files.push_back({std::move(record), summary_of(facts)});
    }
  }
  for (const Abandoned& file : left) files.push_back({file.record, summary_of(frames_path_of(file.file))});
  return files;
}

/// Of a stream that has been away for longer than those.
[[nodiscard]] std::vector<Looked> newest_files_with(const Catalog& catalog, const std::string& name,
                                                    const std::string& stream) {
  Query query;
  query.recording = name;
  query.stream = stream;
  query.with_open = false;
  query.newest_first = true;
  query.most = kFilesLookedAt;
  std::vector<Looked> files;
  for (SegmentRecord& record : catalog.find(query)) {
    const std::string facts = catalog.store().whole_path(frames_path_of(record.path));
    files.push_back({std::move(record), summary_of(facts)});
  }
  return files;
}

/// A killed recorder wrote manifests now and then. What is in none of them yet is with the facts of the frame
/// behind it; what was to go into the next one, and went into that of the file before, is in two.
void tell_each_once(SegmentRecord& record, const std::vector<TrackSummary>& tracks, ToldGaps& told) {
  const bool of_event = record.kind == SegmentClass::event;
  std::vector<Gap> gaps = std::exchange(record.gaps, {});
  for (const TrackSummary& track : tracks)
    for (const FactsLoss& loss : track.lost)
      // Of the time before an event nothing was wanted.
      if (!of_event || loss.end_ns >= record.start_ns)
        gaps.push_back({track.track.stream, loss.start_ns, loss.end_ns, loss.frames, loss.reason});
  for (const Gap& gap : gaps) {
    if (told.has(gap)) continue;
    record.gaps.push_back(gap);
    told.add({gap});
  }
}

[[nodiscard]] bool any_of(const std::vector<Looked>& files, const std::string& stream) {
  return std::any_of(files.begin(), files.end(), [&](const Looked& file) {
    return std::any_of(file.tracks.begin(), file.tracks.end(),
                       [&](const TrackSummary& track) { return track.track.stream == stream; }) ||
           std::any_of(file.record.tracks.begin(), file.record.tracks.end(),
                       [&](const Track& track) { return track.stream == stream; });
  });
}

}  // namespace

std::optional<std::uint64_t> Standing::missed_until(std::uint64_t next, std::uint64_t missed_before,
                                                    std::int64_t memory_since_ns) const {
  const bool same_writer = sequence != 0 && published_ns != reel::kNoTime &&
                           memory_since_ns != reel::kNoTime && memory_since_ns <= published_ns;
  if (!same_writer) return missed_before;
  if (next <= sequence) return std::nullopt;
  return all_taken ? next - sequence - 1 : missed_before;
}

Resumed resume(const Catalog& catalog, const RecordSettings& settings,
               const std::vector<std::string>& streams, std::vector<Abandoned>& left) {
  Resumed resumed;
  resumed.last = catalog.newest(settings.name);
  for (const Abandoned& file : left)
    if (file.manifest && (!resumed.last || file.record.end_ns > resumed.last->end_ns))
      resumed.last = file.record;
  const std::vector<Looked> files = newest_files(catalog, settings.name, left);
  Told told;
  const std::size_t finished = files.size() - left.size();
  for (std::size_t i = 0; i < finished; ++i) told.in(files[i].record).add(files[i].record.gaps);
  for (std::size_t i = left.size(); i-- != 0;)  // the last one's manifest is the newest
    tell_each_once(left[i].record, files[finished + i].tracks, told.in(left[i].record));
  for (const std::string& stream : streams) {
    Standing& standing = resumed.streams.emplace_back();
    const std::vector<Looked> before =
        any_of(files, stream) ? std::vector<Looked>() : newest_files_with(catalog, settings.name, stream);
    for (const Looked& file : before) told.in(file.record).add(file.record.gaps);
    const std::vector<Looked>& with = before.empty() ? files : before;
    for (const Looked& file : with) take(standing, stream, file, told);
    standing.all_taken = all_taken(with, stream);
    // What came between events, or while the schedule slept, was not to be recorded.
    if (settings.mode == RecordMode::events || !settings.schedule.always()) standing.all_taken = false;
    if (resumed.last && standing.end_ns)
      resumed.last->end_ns = std::max(resumed.last->end_ns, *standing.end_ns);
  }
  return resumed;
}

}  // namespace record
