#include "repair.hpp"

#include "mux.hpp"
#include "mux_pace.hpp"
#include "new_file.hpp"
#include "reader.hpp"

#include <algorithm>

#include <reel/base/error.hpp>
#include <reel/gst/read_map.hpp>

namespace record {

namespace {

constexpr std::size_t kLeastBytes = 8;

// Bytes that never reached the disk are zeros, which no codec makes; silence is.
bool never_came(const Unit& unit, const ProbedTrack& track) {
  if (track.codec == "raw" || track.codec == "pcm" || unit.bytes() < kLeastBytes) return false;
  const reel::gst::ReadMap map(unit.buffer.get());
  return std::all_of(map.bytes().begin(), map.bytes().end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

/// Returns the places of the tracks that it has.
std::vector<std::size_t> copy_units(const std::string& path, const Probe& found, ByteSink& sink) {
  UnitReader reader(path);
  Mux::Settings settings;
  settings.container = found.container;
  settings.tracks = found.tracks.size();
  settings.origin_ns = 0;
  settings.where = path;
  Mux mux(std::move(settings), sink);
  for (std::size_t track = 0; track < found.tracks.size(); ++track)
    if (found.tracks[track].frames == 0) mux.leave(track);
  std::vector<bool> copied(found.tracks.size());
  while (const std::optional<Unit> unit = reader.next()) {
    if (never_came(*unit, found.tracks[unit->track])) continue;
    mux.write(*unit);
    copied[unit->track] = true;
    pace(mux, path);
  }
  mux.finish();
  std::vector<std::size_t> places;
  for (std::size_t track = 0; track < copied.size(); ++track)
    if (copied[track]) places.push_back(found.tracks[track].place);
  return places;
}

}  // namespace

Repaired repair(const std::string& path, const std::string& repaired) {
  const Probe found = probe(path);
  const bool any = std::any_of(found.tracks.begin(), found.tracks.end(),
                               [](const ProbedTrack& track) { return track.frames > 0; });
  if (!any)
    throw reel::Error(
        reel::ErrorCode::protocol,
        "nothing can be saved of it: " + (found.fault.empty() ? "it holds no frame" : found.fault), path);
  NewFile file(repaired);
  Repaired made;
  made.places = copy_units(path, found, file);
  file.keep();
  made.probe = probe(repaired);
  return made;
}

}  // namespace record
