#include "probe.hpp"

#include "reader.hpp"
#include "unit_decoder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include <reel/base/error.hpp>

namespace record {

namespace {

std::string text_without_codec_data(const GstCaps* caps) {
  const reel::gst::Ptr<GstCaps> plain(gst_caps_copy(caps));
  gst_structure_remove_fields(gst_caps_get_structure(plain.get(), 0), "codec_data", "streamheader", nullptr);
  return reel::gst::Text(gst_caps_to_string(plain.get())).get();
}

void count(ProbedTrack& track, const Unit& unit) {
  track.first_ns = track.frames == 0 ? unit.time_ns : std::min(track.first_ns, unit.time_ns);
  track.last_ns = track.frames == 0 ? unit.time_ns : std::max(track.last_ns, unit.time_ns);
  track.end_ns = std::max(track.end_ns, unit.time_ns + unit.duration_ns);
  ++track.frames;
  if (unit.key) ++track.key_frames;
}

void add_fault(Probe& probe, const std::string& fault) {
  if (!fault.empty()) probe.fault += (probe.fault.empty() ? "" : "; ") + fault;
}

class Decoders {
 public:
  Decoders(const std::vector<UnitReader::TrackInfo>& tracks, bool wanted) {
    if (!wanted) return;
    for (const UnitReader::TrackInfo& track : tracks)
      decoders_.push_back(std::make_unique<UnitDecoder>(track.caps.get()));
  }
  void push(const Unit& unit) {
    if (unit.track < decoders_.size()) decoders_[unit.track]->push(unit);
  }
  void finish(Probe& probe) {
    for (std::size_t track = 0; track < decoders_.size(); ++track) {
      const UnitDecoder::Result result = decoders_[track]->finish();
      probe.tracks[track].decoded = result.decoded;
      add_fault(probe, result.fault);
    }
  }

 private:
  std::vector<std::unique_ptr<UnitDecoder>> decoders_;
};

void read(Probe& probe, const std::string& path, bool decode) {
  UnitReader reader(path);
  probe.container = reader.container();
  probe.duration_ns = reader.duration_ns();
  probe.finished = probe.duration_ns.has_value();
  for (const UnitReader::TrackInfo& info : reader.tracks()) {
    ProbedTrack track;
    track.codec = info.codec;
    track.video = info.video;
    track.place = info.place;
    track.caps = text_without_codec_data(info.caps.get());
    probe.tracks.push_back(std::move(track));
  }
  Decoders decoders(reader.tracks(), decode);
  while (const std::optional<Unit> unit = reader.next()) {
    count(probe.tracks[unit->track], *unit);
    decoders.push(*unit);
  }
  add_fault(probe, reader.fault());
  decoders.finish(probe);
  if (!probe.finished) add_fault(probe, "it was not finished: it does not say how long it is");
}

}  // namespace

Probe probe(const std::string& path, bool decode) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) reel::throw_errno(errno, "look at", path);
  Probe probe;
  probe.bytes = static_cast<std::uint64_t>(status.st_size);
  try {
    read(probe, path, decode);
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::protocol) throw;
    add_fault(probe, error.message());
  }
  return probe;
}

}  // namespace record
