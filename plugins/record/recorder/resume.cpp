#include "recorder/resume.hpp"

#include <algorithm>
#include <utility>

#include "catalog/segment_name.hpp"
#include "facts/facts_summary.hpp"
#include "recorder/time_line.hpp"
#include "recorder/told_gaps.hpp"

namespace record {
namespace {

// Of each class, and of each stream: two may have been open, and one may lack a stream.
constexpr std::size_t kFilesLookedAt = 4;
constexpr std::size_t kManifestsLookedAt = 1000;  // for gaps of a stream that has been away

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

/// Of one frame there is nothing to be told from: the files before say so. nullopt: nothing does.
[[nodiscard]] std::optional<bool> all_taken(const std::vector<Looked>& files, const std::string& stream) {
  std::optional<bool> all;
  for (const Looked& file : files)
    for (const TrackSummary& track : file.tracks)
      if (track.track.stream == stream && track.begins_ns.size() >= 2)
        all = all.value_or(true) && track.all_taken;
  return all;
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

/// Those of a stream that are not among `files`: it has been away for longer.
[[nodiscard]] std::vector<Looked> files_with(const Catalog& catalog, const std::string& name,
                                             const std::string& stream, const std::vector<Looked>& files) {
  Query query;
  query.recording = name;
  query.stream = stream;
  query.with_open = false;
  query.newest_first = true;
  query.most = kFilesLookedAt;
  std::vector<Looked> found;
  for (SegmentRecord& record : catalog.find(query)) {
    if (std::any_of(files.begin(), files.end(),
                    [&](const Looked& file) { return file.record.path == record.path; }))
      continue;
    const std::string facts = catalog.store().whole_path(frames_path_of(record.path));
    found.push_back({std::move(record), summary_of(facts)});
  }
  return found;
}

void add_gaps_of_many(const Catalog& catalog, const std::string& name, Told& told) {
  Query query;
  query.recording = name;
  query.with_open = false;
  query.newest_first = true;
  query.most = kManifestsLookedAt;
  for (const SegmentRecord& record : catalog.find(query)) told.in(record).add(record.gaps);
}

[[nodiscard]] std::vector<Gap> gaps_of(const SegmentRecord& record, const std::vector<TrackSummary>& tracks) {
  std::vector<Gap> gaps = record.gaps;
  for (const TrackSummary& track : tracks)
    for (const FactsLoss& loss : track.lost)
      gaps.push_back({track.track.stream, loss.start_ns, loss.end_ns, loss.frames, loss.reason});
  return gaps;
}

/// A killed recorder wrote manifests now and then. What is in none of them yet is with the facts of the frame
/// behind it; what was to go into the next one, and went into that of the file before, is in two.
void tell_each_once(std::vector<Abandoned>& left, const Looked* files, Told& told) {
  Told of_left;
  std::vector<std::vector<Gap>> gaps;
  for (std::size_t i = 0; i < left.size(); ++i)
    of_left.in(left[i].record).add(gaps.emplace_back(gaps_of(left[i].record, files[i].tracks)));
  for (std::size_t i = 0; i < left.size(); ++i) {
    SegmentRecord& record = left[i].record;
    const ToldGaps& of_finished = told.in(record);
    ToldGaps& to_tell = of_left.in(record);
    record.gaps.clear();
    for (const Gap& gap : gaps[i])
      if (!of_finished.has(gap))
        if (std::optional<Gap> told_here = to_tell.take(gap)) record.gaps.push_back(std::move(*told_here));
  }
  for (const Abandoned& file : left) told.in(file.record).add(file.record.gaps);
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
  tell_each_once(left, files.data() + finished, told);
  for (const std::string& stream : streams) {
    Standing& standing = resumed.streams.emplace_back();
    const std::vector<Looked> older = files_with(catalog, settings.name, stream, files);
    if (!older.empty()) add_gaps_of_many(catalog, settings.name, told);
    for (const std::vector<Looked>* some : {&older, &files})
      for (const Looked& file : *some) take(standing, stream, file, told);
    standing.all_taken = all_taken(files, stream).value_or(all_taken(older, stream).value_or(false));
    // What came between events, or while the schedule slept, was not to be recorded.
    if (settings.mode == RecordMode::events || !settings.schedule.always()) standing.all_taken = false;
    if (resumed.last && standing.end_ns)
      resumed.last->end_ns = std::max(resumed.last->end_ns, *standing.end_ns);
  }
  return resumed;
}

}  // namespace record
