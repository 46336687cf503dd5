#include "play/recording.hpp"

#include "catalog/catalog.hpp"
#include "catalog/segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

namespace record {
namespace {

namespace fs = std::filesystem;
using reel::Error;
using reel::ErrorCode;

// A time of the command line: of the clock on the wall, or after the recording's start.
struct Moment {
  bool of_day = true;
  std::int64_t ns = 0;
};

std::optional<Moment> moment_from(const std::string& text, const char* name) {
  if (text.empty()) return std::nullopt;
  const std::int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  if (text.front() == '+')
    if (const auto after = reel::duration_from(text.substr(1))) return Moment{false, *after};
  if (const auto time = time_from(text, now_ns)) return Moment{true, *time};
  throw Error(ErrorCode::bad_argument, std::string(name) + ": '" + text + "' is not " + kPlayTimeText);
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Of a file that nobody tells of: the first picture and the first sound in it, if any.
const std::vector<FactsTrack> kUnknownTracks{{"video", "video", ""}, {"audio", "audio", ""}};

RecordedFile with_manifest(std::string path, SegmentRecord manifest) {
  RecordedFile file;
  file.path = std::move(path);
  if (const std::string facts = frames_path_of(file.path); exists(facts)) {
    file.facts_path = facts;
    file.tracks = FactsReader(facts).tracks();
  }
  if (file.tracks.empty())
    for (const Track& track : manifest.tracks) file.tracks.push_back({track.stream, track.media, ""});
  if (file.tracks.empty()) file.tracks = kUnknownTracks;
  file.origin_ns = manifest.start_ns;
  file.manifest = std::move(manifest);
  return file;
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) reel::throw_errno(errno, "cannot open the manifest", path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

RecordedFile one_file(const std::string& path) {
  const std::string manifest = manifest_path_of(path);
  if (exists(manifest)) return with_manifest(path, segment_from_json(text_of(manifest), manifest));
  RecordedFile file;
  file.path = path;
  if (const std::string facts = frames_path_of(path); exists(facts)) {
    file.facts_path = facts;
    file.tracks = FactsReader(facts).tracks();
    file.origin_ns = reel::kNoTime;
  } else {
    file.tracks = kUnknownTracks;
  }
  return file;
}

std::string only_name(const std::vector<SegmentRecord>& segments, const std::string& directory) {
  std::set<std::string> names;
  for (const SegmentRecord& segment : segments) names.insert(segment.recording);
  if (names.size() == 1) return *names.begin();
  if (names.empty()) throw Error(ErrorCode::not_found, "there is no recording in this directory", directory);
  throw Error(ErrorCode::bad_argument,
              "there is more than one recording in this directory: choose " +
                  reel::join_or(std::vector<std::string>(names.begin(), names.end())),
              directory);
}

// Media time at a time of day, by the clocks of the segment that is nearest to it.
std::int64_t media_at(const std::vector<SegmentRecord>& segments, std::int64_t utc_ns) {
  const SegmentRecord* nearest = &segments.front();
  for (const SegmentRecord& segment : segments)
    if (segment.start_utc_ns <= utc_ns) nearest = &segment;
  return nearest->start_ns + (utc_ns - nearest->start_utc_ns);
}

std::int64_t media_time(const Moment& moment, const std::vector<SegmentRecord>& segments) {
  return moment.of_day ? media_at(segments, moment.ns) : segments.front().start_ns + moment.ns;
}

Cut cut_of(const Selection& selection, const std::vector<SegmentRecord>& segments) {
  Cut cut;
  const auto from = moment_from(selection.from, "from");
  const auto to = moment_from(selection.to, "to");
  if (from) cut.from_ns = media_time(*from, segments);
  if (to) cut.to_ns = media_time(*to, segments);
  if (cut.from_ns >= cut.to_ns)
    throw Error(ErrorCode::bad_argument,
                "from '" + selection.from + "' is not before to '" + selection.to + "'");
  return cut;
}

bool in_cut(const SegmentRecord& segment, const Cut& cut) {
  return segment.end_ns > cut.from_ns && segment.start_ns < cut.to_ns;
}

bool of_event(const SegmentRecord& segment) {
  const auto name = segment_name_from(segment.path);
  return segment.kind == SegmentClass::event || (name && name->event);
}

// A recorder may write the frames of an event into a file of its own as well. REQUIRES: in order of time.
bool is_there_twice(const SegmentRecord& event, const std::vector<SegmentRecord>& segments) {
  constexpr std::int64_t kSeam_ns = 50'000'000;
  std::int64_t covered_ns = event.start_ns;
  for (const SegmentRecord& segment : segments)
    if (!of_event(segment) && segment.start_ns <= covered_ns + kSeam_ns)
      covered_ns = std::max(covered_ns, segment.end_ns);
  return covered_ns + kSeam_ns >= event.end_ns;
}

Recording from_file(const Selection& selection) {
  Recording recording;
  recording.files.push_back(one_file(selection.path));
  const RecordedFile& file = recording.files.front();
  SegmentRecord known;
  if (file.manifest) {
    known = *file.manifest;
  } else if (moment_from(selection.from, "from").value_or(Moment{false}).of_day ||
             moment_from(selection.to, "to").value_or(Moment{false}).of_day) {
    throw Error(ErrorCode::bad_argument,
                "this file has no manifest (.json) that says when it was recorded: give from and to as +90s",
                selection.path);
  }
  recording.name = known.recording.empty() ? fs::path(selection.path).stem().string() : known.recording;
  recording.cut = cut_of(selection, {known});
  return recording;
}

Recording from_directory(const Selection& selection) {
  const Catalog catalog(StoreOptions{selection.path, false, {}});
  Recording recording;
  Query query;
  query.recording = selection.recording;
  std::vector<SegmentRecord> segments = catalog.find(query);
  if (selection.recording.empty()) {
    recording.name = only_name(segments, selection.path);
  } else if (recording.name = selection.recording; segments.empty()) {
    throw Error(ErrorCode::not_found, "there is no recording '" + selection.recording + "' in this directory",
                selection.path);
  }
  std::sort(segments.begin(), segments.end(), [](const SegmentRecord& a, const SegmentRecord& b) {
    return std::pair(a.start_utc_ns, a.sequence) < std::pair(b.start_utc_ns, b.sequence);
  });
  recording.cut = cut_of(selection, segments);
  std::vector<SegmentRecord> finished;
  std::copy_if(segments.begin(), segments.end(), std::back_inserter(finished), [](const SegmentRecord& one) {
    return one.state != SegmentState::open && one.state != SegmentState::broken;
  });
  if (finished.empty())
    throw Error(ErrorCode::not_found,
                "all that there is of the recording '" + recording.name +
                    "' is still being written, or cannot be read: wait for the end of its first segment",
                selection.path);
  for (const SegmentRecord& segment : finished) {
    if (!in_cut(segment, recording.cut)) continue;
    if (of_event(segment) && is_there_twice(segment, finished)) continue;
    const std::string path = catalog.store().whole_path(segment.path);
    recording.files.push_back(with_manifest(path, segment));
  }
  if (recording.files.empty())
    throw Error(ErrorCode::not_found,
                "nothing of the recording '" + recording.name + "' lies between from and to: it goes from " +
                    utc_text(segments.front().start_utc_ns) + " to " + utc_text(segments.back().end_utc_ns),
                selection.path);
  return recording;
}

}  // namespace

std::vector<FactsTrack> Recording::streams() const {
  std::vector<FactsTrack> streams;
  for (const RecordedFile& file : files)
    for (const FactsTrack& track : file.tracks)
      if (std::none_of(streams.begin(), streams.end(),
                       [&](const FactsTrack& known) { return known.stream == track.stream; }))
        streams.push_back(track);
  return streams;
}

Recording find_recording(const Selection& selection) {
  std::error_code error;
  if (fs::is_directory(selection.path, error)) return from_directory(selection);
  if (exists(selection.path)) return from_file(selection);
  throw Error(ErrorCode::not_found, "there is no such file or directory of recordings", selection.path);
}

}  // namespace record
