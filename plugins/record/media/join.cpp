#include "join.hpp"

#include "mux.hpp"
#include "mux_pace.hpp"
#include "new_file.hpp"
#include "reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <reel/base/error.hpp>

namespace record {

namespace {

using reel::Error;
using reel::ErrorCode;
using Tracks = std::vector<UnitReader::TrackInfo>;

constexpr std::uint64_t kUnitsPerReport = 64;

bool same_field(const GstStructure* one, const GstStructure* other, const char* field) {
  const GValue* first = gst_structure_get_value(one, field);
  const GValue* second = gst_structure_get_value(other, field);
  if (first == nullptr || second == nullptr) return first == second;
  return gst_value_compare(first, second) == GST_VALUE_EQUAL;
}

// What a decoder needs to know; frame rates are a demuxer's guess.
bool same_format(const GstCaps* one, const GstCaps* other) {
  const GstStructure* first = gst_caps_get_structure(one, 0);
  const GstStructure* second = gst_caps_get_structure(other, 0);
  static constexpr std::array kFields{"codec_data", "width", "height", "rate", "channels", "format"};
  return gst_structure_has_name(second, gst_structure_get_name(first)) != FALSE &&
         std::all_of(kFields.begin(), kFields.end(),
                     [&](const char* field) { return same_field(first, second, field); });
}

// The part with the most tracks says which there are: a track may be away in others.
Tracks tracks_of(const std::vector<JoinPart>& parts) {
  Tracks most;
  for (const JoinPart& part : parts) {
    Tracks tracks = UnitReader(part.path).tracks();
    if (tracks.size() > most.size()) most = std::move(tracks);
  }
  return most;
}

/// Which of `tracks` each of the part's is.
std::vector<std::size_t> places_of(const Tracks& part, const Tracks& tracks, const std::string& path) {
  std::vector<std::size_t> places;
  for (const UnitReader::TrackInfo& info : part) {
    std::size_t place = 0;
    while (place < tracks.size() && (std::find(places.begin(), places.end(), place) != places.end() ||
                                     !same_format(info.caps.get(), tracks[place].caps.get())))
      ++place;
    if (place == tracks.size())
      throw Error(ErrorCode::bad_argument,
                  "its " + info.codec +
                      " is of another format than that of the others (another size, or other "
                      "settings of its encoder): join those before and after it by themselves",
                  path);
    places.push_back(place);
  }
  return places;
}

class Joiner {
 public:
  Joiner(const std::vector<JoinPart>& parts, const JoinSettings& settings, Tracks tracks, Mux& mux,
         const std::string& output)
      : parts_(parts),
        settings_(settings),
        tracks_(std::move(tracks)),
        last_ns_(tracks_.size()),
        mux_(mux),
        output_(output) {}

  void run() {
    const std::size_t first = first_part();
    from_ns_ = begin_in(parts_[first]);
    for (std::size_t part = first; part < parts_.size(); ++part) {
      if (parts_[part].start_ns >= settings_.to_ns) break;
      add(part);
    }
    if (count_ == 0)
      throw Error(ErrorCode::bad_argument, "nothing was recorded between these times", output_);
    report(1.0);
  }

 private:
  [[nodiscard]] std::size_t first_part() const {
    std::size_t part = 0;
    while (part + 1 < parts_.size() && parts_[part + 1].start_ns <= settings_.from_ns) ++part;
    return part;
  }

  // The last key frame at or before the wanted begin.
  [[nodiscard]] std::int64_t begin_in(const JoinPart& part) const {
    if (settings_.from_ns <= part.start_ns) return settings_.from_ns;
    UnitReader reader(part.path);
    const auto video = std::find_if(reader.tracks().begin(), reader.tracks().end(),
                                    [](const UnitReader::TrackInfo& info) { return info.video; });
    const auto track = static_cast<std::size_t>(video - reader.tracks().begin());
    std::int64_t begin_ns = settings_.from_ns;
    while (const std::optional<Unit> unit = reader.next()) {
      const std::int64_t time_ns = unit->time_ns + part.start_ns;
      if (unit->track != track || !unit->key) continue;
      if (time_ns > settings_.from_ns) break;
      begin_ns = time_ns;
    }
    return begin_ns;
  }

  void add(std::size_t number) {
    const JoinPart& part = parts_[number];
    UnitReader reader(part.path);
    const std::vector<std::size_t> places = places_of(reader.tracks(), tracks_, part.path);
    const double share = 1.0 / static_cast<double>(parts_.size());
    const double length_ns = static_cast<double>(std::max<std::int64_t>(1, reader.duration_ns().value_or(1)));
    while (std::optional<Unit> unit = reader.next()) {
      const double done = std::min(1.0, static_cast<double>(unit->decode_ns) / length_ns);
      unit->track = places[unit->track];
      unit->time_ns += part.start_ns;
      unit->decode_ns += part.start_ns;
      write(*unit);
      if (++seen_ % kUnitsPerReport == 0) report((static_cast<double>(number) + done) * share);
    }
  }

  void write(Unit& unit) {
    if (unit.decode_ns < from_ns_ || unit.decode_ns >= settings_.to_ns) return;
    std::optional<std::int64_t>& last_ns = last_ns_[unit.track];
    if (!last_ns && !unit.key) return;  // nothing to decode it with
    if (last_ns) unit.decode_ns = std::max(unit.decode_ns, *last_ns);
    last_ns = unit.decode_ns;
    unit.caps = tracks_[unit.track].caps;
    mux_.write(unit);
    pace(mux_, output_);
    if (unit.time_ns + unit.duration_ns >= settings_.from_ns) ++count_;
  }

  void report(double done) const {
    if (settings_.on_progress && !settings_.on_progress(done))
      throw Error(ErrorCode::closed, "given up half way; nothing is left of it", output_);
  }

  const std::vector<JoinPart>& parts_;
  const JoinSettings& settings_;
  Tracks tracks_;
  std::vector<std::optional<std::int64_t>> last_ns_;
  Mux& mux_;
  const std::string& output_;
  std::int64_t from_ns_ = INT64_MIN;
  std::uint64_t count_ = 0;  // of units that were asked for, not only what decoding them needs
  std::uint64_t seen_ = 0;
};

void check_codecs(const Tracks& tracks, Container container, const std::string& output) {
  for (const UnitReader::TrackInfo& track : tracks) {
    if (!can_hold(container, track.codec))
      throw Error(ErrorCode::unsupported,
                  "MP4 files cannot hold " + track.codec + " as it was recorded: name the output .mkv",
                  output);
  }
}

// What mp4mux keeps the media in until it knows how long the index before it is.
class WaitingFile {
 public:
  explicit WaitingFile(std::string path) : path_(std::move(path)) {}
  WaitingFile(const WaitingFile&) = delete;
  WaitingFile& operator=(const WaitingFile&) = delete;
  ~WaitingFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace

Probe join(const std::vector<JoinPart>& parts, const JoinSettings& settings, const std::string& output) {
  if (parts.empty()) throw Error(ErrorCode::bad_argument, "no files to join", output);
  const Tracks tracks = tracks_of(parts);
  check_codecs(tracks, settings.container, output);
  NewFile file(output);
  const WaitingFile waiting(output + ".media");
  {
    Mux::Settings into;
    into.container = settings.container;
    into.tracks = tracks.size();
    into.where = output;
    into.fast_start_file = waiting.path();
    Mux mux(std::move(into), file);
    Joiner(parts, settings, tracks, mux, output).run();
    mux.finish();
  }
  file.keep();
  return probe(output);
}

}  // namespace record
