#include "recorder/lead_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <reel/base/error.hpp>

#include "catalog/segment_name.hpp"
#include "media/probe.hpp"

namespace record {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kLead = ".lead";

[[nodiscard]] std::vector<std::size_t> tracks_of(const std::vector<Unit>& units) {
  std::vector<std::size_t> tracks;
  for (const Unit& unit : units)
    if (std::find(tracks.begin(), tracks.end(), unit.track) == tracks.end()) tracks.push_back(unit.track);
  std::sort(tracks.begin(), tracks.end());
  return tracks;
}

[[nodiscard]] std::string path_of(const std::string& open_file, const std::vector<std::size_t>& tracks) {
  std::string path = stem_of(open_file) + std::string(kLead);
  for (const std::size_t track : tracks) path += "-" + std::to_string(track);
  return path;
}

/// Of "-0-2"; nullopt for other text.
[[nodiscard]] std::optional<std::vector<std::size_t>> tracks_from(std::string_view text) {
  std::vector<std::size_t> tracks;
  while (text.starts_with('-')) {
    std::size_t track = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), track);
    if (error != std::errc{}) return std::nullopt;
    tracks.push_back(track);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  if (!text.empty() || tracks.empty()) return std::nullopt;
  return tracks;
}

[[nodiscard]] std::shared_ptr<SyncedFile> made(const std::string& path) {
  reel::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file) reel::throw_errno(errno, "cannot write the begin of a segment", path);
  return std::make_shared<SyncedFile>(std::move(file), path);
}

[[nodiscard]] Mux::Settings mux_settings(const std::string& path, Container container, std::size_t tracks) {
  Mux::Settings settings;
  settings.container = container;
  settings.tracks = tracks;
  settings.where = path;
  return settings;
}

[[nodiscard]] std::uint64_t frames_in(const Probe& probe) {
  std::uint64_t frames = 0;
  for (const ProbedTrack& track : probe.tracks) frames += track.frames;
  return frames;
}

}  // namespace

LeadFile::LeadFile(const std::string& open_file, Container container, const std::vector<Unit>& units)
    : tracks_(tracks_of(units)),
      path_(path_of(open_file, tracks_)),
      file_(made(path_)),
      sink_(file_->descriptor()),
      mux_(mux_settings(path_, container, tracks_.size()), sink_) {
  try {
    for (const Unit& unit : units) write(unit);
  } catch (...) {
    remove();
    throw;
  }
}

void LeadFile::remove() const noexcept {
  (void)::unlink(path_.c_str());
}

std::size_t LeadFile::index_of(std::size_t track) const noexcept {
  return static_cast<std::size_t>(std::find(tracks_.begin(), tracks_.end(), track) - tracks_.begin());
}

bool LeadFile::has(std::size_t track) const noexcept {
  return index_of(track) != tracks_.size();
}

void LeadFile::write(const Unit& unit) {
  Unit ours = unit;
  ours.track = index_of(unit.track);
  mux_.write(ours);
}

void LeadFile::leave(std::size_t track) {
  if (has(track)) mux_.leave(index_of(track));
}

std::vector<Lead> leads_of(const std::string& open_file) {
  const std::string begin = fs::path(stem_of(open_file)).filename().string() + std::string(kLead);
  std::vector<Lead> leads;
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(open_file).parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(begin)) continue;
    if (auto tracks = tracks_from(std::string_view(name).substr(begin.size())))
      leads.push_back({entry->path().string(), std::move(*tracks)});
  }
  if (error) reel::throw_errno(error.value(), "cannot look for the begin of a segment", open_file);
  return leads;
}

std::optional<Lead> best_lead(const std::string& open_file) {
  const std::vector<Lead> leads = leads_of(open_file);
  std::optional<Lead> best;
  std::uint64_t most = leads.empty() ? 0 : frames_in(probe(open_file));
  for (const Lead& lead : leads) {
    const std::uint64_t frames = frames_in(probe(lead.path));
    if (frames <= most) continue;
    most = frames;
    best = lead;
  }
  return best;
}

void remove_leads(const std::string& open_file) noexcept {
  try {
    for (const Lead& lead : leads_of(open_file)) (void)::unlink(lead.path.c_str());
  } catch (const std::exception&) {  // they go with the segment
  }
}

}  // namespace record
