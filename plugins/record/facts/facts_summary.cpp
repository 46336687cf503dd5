#include "facts/facts_summary.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace record {
namespace {

/// A stream that began anew counts from 1 again, which says nothing.
[[nodiscard]] bool passed_over(const FrameFacts& before, const FrameFacts& next) {
  if (before.sequence == 0 || next.sequence <= before.sequence || next.frame <= before.frame) return false;
  return next.sequence - before.sequence > next.frame - before.frame;
}

void add(TrackSummary& summary, FrameFacts facts) {
  facts.side_data.clear();
  summary.lost.insert(summary.lost.end(), facts.lost.begin(), facts.lost.end());
  if (summary.begins_ns.empty())
    summary.first = facts;
  else if (passed_over(summary.last, facts))
    summary.all_taken = false;
  summary.begins_ns.push_back(facts.media_ns);
  summary.last = std::move(facts);
}

}  // namespace

std::int64_t TrackSummary::end_ns() const {
  return *std::max_element(begins_ns.begin(), begins_ns.end()) +
         std::max<std::int64_t>(last.info.duration_ns, 0);
}

std::vector<TrackSummary> summary_of(const std::string& frames_file) {
  std::vector<TrackSummary> tracks;
  try {
    FactsReader reader(frames_file);
    while (std::optional<FrameFacts> facts = reader.next()) {
      const std::size_t track = facts->track;
      if (tracks.size() <= track) tracks.resize(track + 1);
      tracks[track].track = reader.tracks()[track];
      add(tracks[track], std::move(*facts));
    }
  } catch (const reel::Error& error) {
    reel::log_warning(error.what());
  }
  std::erase_if(tracks, [](const TrackSummary& track) { return track.begins_ns.empty(); });
  return tracks;
}

}  // namespace record
