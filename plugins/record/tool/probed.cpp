#include "tool/probed.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace record {

namespace {

/// Streams' names are lost with the manifest: "video", "audio", "video 2".
std::string stream_of(const std::vector<Track>& before, const std::string& media) {
  const auto same =
      std::count_if(before.begin(), before.end(), [&](const Track& track) { return track.media == media; });
  return same == 0 ? media : fmt::format("{} {}", media, same + 1);
}

}  // namespace

void fill_in(const std::string& file, SegmentRecord& record) {
  const Probe found = probe(file);
  if (!found.fault.empty()) record.state = SegmentState::broken;
  record.end_ns = record.start_ns;
  record.tracks.clear();
  for (const ProbedTrack& track : found.tracks) {
    const std::string media = track.video ? "video" : "audio";
    record.tracks.push_back({stream_of(record.tracks, media), media, track.codec, track.caps, track.frames, 0,
                             record.start_ns + track.first_ns, record.start_ns + track.end_ns});
    record.end_ns = std::max(record.end_ns, record.tracks.back().end_ns);
  }
  record.end_utc_ns = record.start_utc_ns + (record.end_ns - record.start_ns);
}

std::vector<std::string> problems_of(const SegmentRecord& record, const Probe& probe) {
  std::vector<std::string> problems;
  if (!probe.fault.empty()) problems.push_back(probe.fault);
  if (!probe.finished) problems.emplace_back("it was not closed: it does not say how long it is");
  if (probe.bytes != record.bytes)
    problems.push_back(fmt::format("it is {} bytes long, {} by its manifest", probe.bytes, record.bytes));
  if (record.tracks.empty()) return problems;  // its manifest is lost: there is nothing to compare with
  if (probe.tracks.size() != record.tracks.size())
    problems.push_back(
        fmt::format("it has {} tracks, {} by its manifest", probe.tracks.size(), record.tracks.size()));
  const std::size_t both = std::min(probe.tracks.size(), record.tracks.size());
  for (std::size_t i = 0; i < both; ++i) {
    const Track& written = record.tracks[i];
    const ProbedTrack& found = probe.tracks[i];
    if (found.codec != written.codec)
      problems.push_back(
          fmt::format("{} is {}, {} by its manifest", written.stream, found.codec, written.codec));
    if (found.frames != written.frames)
      problems.push_back(
          fmt::format("{} has {} frames, {} by its manifest", written.stream, found.frames, written.frames));
  }
  return problems;
}

}  // namespace record
