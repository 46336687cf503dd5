// What lies in the directory: the reading part of Store.
#include "catalog/store.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/file_calls.hpp"
#include "catalog/segment_name.hpp"

namespace record {

namespace {

constexpr std::uint64_t kHighestSequence = 1'000'000'000'000'000;

std::int64_t modified_ns(const struct stat& facts) {
  return std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

bool is_day(const std::string& name) {
  return name.size() == std::string_view("2026-11-22").size() && time_from(name, 0).has_value();
}

std::optional<ManifestStamp> stamp_of(const std::string& manifest) {
  struct stat facts {};
  if (::stat(manifest.c_str(), &facts) != 0) return std::nullopt;
  return ManifestStamp{modified_ns(facts), static_cast<std::uint64_t>(facts.st_size)};
}

/// What name and file tell of a segment.
SegmentRecord from_name(const std::string& path, const struct stat& facts) {
  SegmentRecord record;
  const SegmentName name = segment_name_from(path).value_or(SegmentName());
  record.recording = name.recording;
  record.kind = name.event ? SegmentClass::event : SegmentClass::continuous;
  record.container = name.extension == "mp4" ? "mp4" : "matroska";
  record.start_utc_ns = name.utc_ns;
  record.end_utc_ns = std::max(name.utc_ns, modified_ns(facts));
  record.start_ns = record.start_utc_ns;  // any line is as good
  record.end_ns = record.end_utc_ns;
  return record;
}

/// The name tells better than a manifest that was not the last to be written.
SegmentState state_of(const Found& found, SegmentState written) {
  if (found.open) return SegmentState::open;
  return written == SegmentState::open ? SegmentState::finished : written;
}

}  // namespace

std::vector<std::string> Store::days() const {
  std::vector<std::string> days;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, failure)) {
    std::string name = entry.path().filename().string();
    if (is_day(name)) days.push_back(std::move(name));
  }
  if (failure) fail_file(failure.value(), "reading the directory of recordings", options_.directory);
  std::sort(days.begin(), days.end());
  return days;
}

std::optional<std::int64_t> Store::day_modified_ns(const std::string& day) const {
  struct stat facts {};
  if (::stat(whole_path(day).c_str(), &facts) != 0) return std::nullopt;
  return modified_ns(facts);
}

std::vector<Found> Store::segments_of(const std::string& day) const {
  std::vector<Found> all;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(whole_path(day), failure)) {
    const std::string name = entry.path().filename().string();
    const std::optional<SegmentName> parts = segment_name_from(name);
    if (!parts) continue;
    const std::string path = day + "/" + stem_of(name) + "." + parts->extension;
    all.push_back({path, parts->open, stamp_of(whole_path(manifest_path_of(path)))});
  }
  if (failure && failure != std::errc::no_such_file_or_directory)
    fail_file(failure.value(), "reading a day's recordings", whole_path(day));
  return all;
}

std::optional<Found> Store::look_up(const std::string& path) const {
  const std::optional<SegmentName> name = segment_name_from(path);
  const std::size_t slash = path.find('/');
  if (!name || name->open || slash != path.rfind('/') || !is_day(path.substr(0, slash))) return std::nullopt;
  const bool finished = exists(whole_path(path));
  if (!finished && !exists(whole_path(open_path_of(path)))) return std::nullopt;
  return Found{path, !finished, stamp_of(whole_path(manifest_path_of(path)))};
}

bool Store::has_manifest(const Found& found) const {
  const std::string manifest = whole_path(manifest_path_of(found.path));
  try {
    (void)segment_from_json(read_text(manifest), manifest);
    return true;
  } catch (const reel::Error&) {
    return false;
  }
}

SegmentRecord Store::read(const Found& found) const {
  const std::string manifest = whole_path(manifest_path_of(found.path));
  struct stat facts {};
  (void)::stat(whole_path(found.open ? open_path_of(found.path) : found.path).c_str(), &facts);
  SegmentRecord record;
  try {
    record = segment_from_json(read_text(manifest), manifest);
  } catch (const reel::Error& error) {
    reel::log_warning(std::string(error.what()) + "; only what its name tells is known of " + found.path);
    record = from_name(found.path, facts);
  }
  // Those after it would count on from a number that is damage, over the end of all numbers.
  if (record.sequence > kHighestSequence) record.sequence = 0;
  record.path = found.path;
  record.state = state_of(found, record.state);
  record.bytes = static_cast<std::uint64_t>(facts.st_size);
  return record;
}

}  // namespace record
