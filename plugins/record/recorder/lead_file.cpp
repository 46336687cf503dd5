#include "recorder/lead_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>

#include "catalog/segment_name.hpp"
#include "media/probe.hpp"

namespace record {
namespace {

[[nodiscard]] std::vector<std::size_t> tracks_of(const std::vector<Unit>& units) {
  std::vector<std::size_t> tracks;
  for (const Unit& unit : units)
    if (std::find(tracks.begin(), tracks.end(), unit.track) == tracks.end()) tracks.push_back(unit.track);
  std::sort(tracks.begin(), tracks.end());
  return tracks;
}

[[nodiscard]] std::shared_ptr<SyncedFile> made(const std::string& path) {
  reel::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) reel::throw_errno(errno, "cannot write the lead of a segment", path);
  return std::make_shared<SyncedFile>(std::move(file), path);
}

[[nodiscard]] Mux::Settings mux_settings(const std::string& path, Container container, std::size_t tracks) {
  Mux::Settings settings;
  settings.container = container;
  settings.tracks = tracks;
  settings.where = path;
  return settings;
}

[[nodiscard]] bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

[[nodiscard]] std::uint64_t frames_in(const std::string& path) {
  std::uint64_t frames = 0;
  for (const ProbedTrack& track : probe(path).tracks) frames += track.frames;
  return frames;
}

}  // namespace

std::string lead_path_of(std::string_view path, unsigned number) {
  return stem_of(path) + ".lead" + std::to_string(number);
}

LeadFile::LeadFile(std::string path, Container container, const std::vector<Unit>& units)
    : path_(std::move(path)),
      tracks_(tracks_of(units)),
      file_(made(path_)),
      sink_(file_->descriptor()),
      mux_(mux_settings(path_, container, tracks_.size()), sink_) {
  for (const Unit& unit : units) write(unit);
}

void LeadFile::remove() const noexcept {
  (void)::unlink(path_.c_str());
}

bool LeadFile::has(std::size_t track) const noexcept {
  return std::find(tracks_.begin(), tracks_.end(), track) != tracks_.end();
}

void LeadFile::write(const Unit& unit) {
  Unit ours = unit;
  ours.track =
      static_cast<std::size_t>(std::find(tracks_.begin(), tracks_.end(), unit.track) - tracks_.begin());
  mux_.write(ours);
}

bool take_lead(const std::string& open_file) {
  std::optional<std::string> best;
  std::uint64_t most = 0;
  std::vector<std::string> leads;
  for (unsigned number = 1; exists(lead_path_of(open_file, number)); ++number)
    leads.push_back(lead_path_of(open_file, number));
  if (leads.empty()) return false;
  most = frames_in(open_file);
  for (const std::string& lead : leads) {
    const std::uint64_t frames = frames_in(lead);
    if (frames <= most) continue;
    most = frames;
    best = lead;
  }
  if (best && std::rename(best->c_str(), open_file.c_str()) != 0)
    reel::throw_errno(errno, "cannot put " + *best + " in its place", open_file);
  for (const std::string& lead : leads)
    if (lead != best) (void)::unlink(lead.c_str());
  return best.has_value();
}

}  // namespace record
