#include "recorder/resume.hpp"

#include <algorithm>
#include <utility>

#include "catalog/segment_name.hpp"
#include "facts/facts_summary.hpp"
#include "recorder/time_line.hpp"

namespace record {
namespace {

constexpr std::size_t kFilesLookedAt = 4;  // of a stream: two are open at a time, of each class

/// By the manifest alone: a recording whose facts were lost.
void take_track(Standing& standing, const Track& track) {
  standing.next_number = std::max(standing.next_number, track.first_frame + track.frames);
  standing.end_ns = std::max(standing.end_ns.value_or(track.end_ns), track.end_ns);
}

void take_summary(Standing& standing, const TrackSummary& track, bool this_boot) {
  const std::int64_t end_ns = track.end_ns();
  standing.end_ns = std::max(standing.end_ns.value_or(end_ns), end_ns);
  if (track.last.frame < standing.next_number) return;
  standing.next_number = track.last.frame + 1;
  standing.sequence = this_boot ? track.last.sequence : 0;
  standing.published_ns = track.last.published_ns;
  standing.all_taken = track.all_taken;
}

void take(Standing& standing, const std::string& stream, const SegmentRecord& record,
          const std::string& frames_file) {
  const bool this_boot = of_this_boot(record);
  bool found = false;
  for (const TrackSummary& track : summary_of(frames_file)) {
    if (track.track.stream != stream) continue;
    take_summary(standing, track, this_boot);
    found = true;
  }
  if (found) return;
  for (const Track& track : record.tracks)
    if (track.stream == stream) take_track(standing, track);
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

Resumed resume(const Catalog& catalog, const std::string& name, const std::vector<std::string>& streams,
               const std::vector<Abandoned>& left) {
  Resumed resumed;
  resumed.last = catalog.newest(name);
  for (const Abandoned& file : left)
    if (file.manifest && (!resumed.last || file.record.end_ns > resumed.last->end_ns))
      resumed.last = file.record;
  for (const std::string& stream : streams) {
    Standing& standing = resumed.streams.emplace_back();
    Query query;
    query.recording = name;
    query.stream = stream;
    query.with_open = false;
    query.newest_first = true;
    query.most = kFilesLookedAt;
    for (const SegmentRecord& record : catalog.find(query))
      take(standing, stream, record, catalog.store().whole_path(frames_path_of(record.path)));
    for (const Abandoned& file : left) take(standing, stream, file.record, frames_path_of(file.file));
    if (resumed.last && standing.end_ns)
      resumed.last->end_ns = std::max(resumed.last->end_ns, *standing.end_ns);
  }
  return resumed;
}

}  // namespace record
