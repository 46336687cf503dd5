#include "made_recording.hpp"

#include "catalog/segment.hpp"
#include "catalog/segment_name.hpp"
#include "facts/frame_facts.hpp"
#include "media/chain.hpp"
#include "media/coding.hpp"
#include "media/mux.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include <fcntl.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <reel/base/unique_fd.hpp>
#include <reel/format/side_data.hpp>

namespace reel_test {
namespace {

constexpr std::int64_t kHour_ns = 3'600'000'000'000;
constexpr std::int64_t kFirstCapture_ns = 5'000'000'000;

std::vector<std::byte> noise(std::size_t bytes, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::byte> made(bytes);
  for (std::byte& byte : made) byte = static_cast<std::byte>(generator());
  return made;
}

reel::FrameInfo info_at(std::int64_t media_ns, std::int64_t duration_ns) {
  reel::FrameInfo info;
  info.pts_ns = kHour_ns + media_ns;
  info.duration_ns = duration_ns;
  info.capture_ns = kFirstCapture_ns + media_ns;
  return info;
}

std::vector<std::byte> score_of(std::size_t frame) {
  std::vector<std::byte> place(256);
  reel::SideDataWriter writer(place);
  EXPECT_TRUE(writer.add_motion("test", {static_cast<float>(frame) / 7.0F}));
  place.resize(writer.size());
  return place;
}

std::vector<record::Unit> encode(const MadeStream& stream, std::size_t track) {
  record::CodingWish wish;
  (stream.format.video() != nullptr ? wish.codec : wish.audio_codec) = stream.codec;
  wish.key_interval_ns = 400'000'000;
  record::Chain::Settings settings;
  settings.track = track;
  settings.format = stream.format;
  settings.coding = choose_coding(stream.format, wish, record::Container::matroska, stream.name);
  settings.where = stream.name;
  record::Chain chain(std::move(settings));
  std::vector<record::Unit> units;
  const auto keep = [&units](std::vector<record::Unit> some) {
    for (record::Unit& unit : some) units.push_back(std::move(unit));
  };
  std::uint64_t number = 0;
  for (const MadeFrame& frame : stream.frames) {
    record::Piece piece;
    const reel::VideoLayout layout =
        stream.format.video() != nullptr ? default_layout(*stream.format.video()) : reel::VideoLayout{};
    piece.buffer = record::buffer_of(frame.bytes, stream.format, layout);
    piece.time_ns = frame.media_ns;
    piece.duration_ns = frame.info.duration_ns;
    piece.frame = number++;
    chain.push(std::move(piece));
    keep(chain.take());
  }
  keep(chain.drain());
  return units;
}

class Maker {
 public:
  Maker(const std::string& directory, const std::string& recording, const std::vector<MadeStream>& streams,
        std::int64_t start_utc_ns)
      : directory_(directory), recording_(recording), streams_(streams), start_utc_ns_(start_utc_ns) {
    for (std::size_t i = 0; i < streams.size(); ++i) units_.push_back(encode(streams[i], i));
  }

  /// Where each segment begins: at key frames of the first stream, but for what comes before time 0.
  std::vector<std::int64_t> starts(const std::vector<std::int64_t>& cuts) const {
    std::vector<std::int64_t> starts{0};
    for (const auto& units : units_) starts[0] = std::min(starts[0], units.front().time_ns);
    for (const std::int64_t cut : cuts) {
      const auto key = std::find_if(units_[0].begin(), units_[0].end(), [&](const record::Unit& unit) {
        return unit.key && unit.time_ns >= cut;
      });
      if (key != units_[0].end()) starts.push_back(key->time_ns);
    }
    return starts;
  }

  MadeSegment write(std::int64_t start_ns, std::int64_t end_ns, bool event = false) const {
    record::SegmentRecord manifest;
    manifest.recording = recording_;
    manifest.state = record::SegmentState::finished;
    if (event) manifest.kind = record::SegmentClass::event;
    manifest.container = "matroska";
    manifest.start_ns = start_ns;
    manifest.start_utc_ns = start_utc_ns_ + start_ns;
    manifest.path = record::to_path({recording_, manifest.start_utc_ns, event, 1, "mkv", false});
    MadeSegment made;
    made.path = directory_ + "/" + manifest.path;
    std::filesystem::create_directories(std::filesystem::path(made.path).parent_path());
    write_media(made, manifest, start_ns, end_ns);
    write_facts(made, start_ns, end_ns);
    manifest.end_utc_ns = start_utc_ns_ + manifest.end_ns;
    manifest.bytes = std::filesystem::file_size(made.path);
    std::ofstream(record::manifest_path_of(made.path)) << to_json(manifest);
    return made;
  }

 private:
  void write_media(MadeSegment& made, record::SegmentRecord& manifest, std::int64_t start_ns,
                   std::int64_t end_ns) const {
    const reel::UniqueFd file(::open(made.path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    record::DescriptorSink sink(file.get());
    record::Mux::Settings settings;
    settings.tracks = streams_.size();
    settings.origin_ns = start_ns;
    settings.where = made.path;
    record::Mux mux(std::move(settings), sink);
    std::vector<record::Unit> all;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      record::Track track{streams_[i].name,
                          streams_[i].format.video() != nullptr ? "video" : "audio",
                          streams_[i].codec,
                          "",
                          0,
                          0,
                          0,
                          0};
      for (const record::Unit& unit : units_[i]) {
        if (unit.time_ns < start_ns || unit.time_ns >= end_ns) continue;
        if (track.frames++ == 0) track.start_ns = unit.time_ns;
        track.end_ns = unit.time_ns + unit.duration_ns;
        all.push_back(unit);
      }
      manifest.end_ns = std::max(manifest.end_ns, track.end_ns);
      made.units.push_back(track.frames);
      manifest.tracks.push_back(std::move(track));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const record::Unit& a, const record::Unit& b) { return a.decode_ns < b.decode_ns; });
    for (const record::Unit& unit : all) mux.write(unit);
    mux.finish();
  }

  void write_facts(const MadeSegment& made, std::int64_t start_ns, std::int64_t end_ns) const {
    std::ofstream file(record::frames_path_of(made.path));
    std::vector<record::FactsTrack> tracks;
    for (const MadeStream& stream : streams_)
      tracks.push_back(
          {stream.name, stream.format.video() != nullptr ? "video" : "audio", stream.format.caps()});
    file << record::facts_header(tracks);
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      for (std::size_t n = 0; n < streams_[i].frames.size(); ++n) {
        const MadeFrame& frame = streams_[i].frames[n];
        if (frame.media_ns < start_ns || frame.media_ns >= end_ns) continue;
        record::FrameFacts facts;
        facts.track = i;
        facts.frame = n;
        facts.media_ns = frame.media_ns;
        facts.info = frame.info;
        facts.side_data = frame.side_data;
        file << record::facts_line(facts);
      }
    }
  }

  const std::string directory_;
  const std::string recording_;
  const std::vector<MadeStream>& streams_;
  const std::int64_t start_utc_ns_;
  std::vector<std::vector<record::Unit>> units_;
};

}  // namespace

MadeStream made_pictures(const std::string& name, reel::PixelFormat pixel, std::size_t count, int fps) {
  const reel::VideoFormat video{pixel, 64, 48, {static_cast<std::uint32_t>(fps), 1}};
  MadeStream stream{name, video, "ffv1", {}};
  const std::int64_t duration_ns = 1'000'000'000 / fps;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t media_ns = static_cast<std::int64_t>(i) * duration_ns;
    stream.frames.push_back({noise(stream.format.frame_bytes(), static_cast<unsigned>(i)), media_ns,
                             info_at(media_ns, duration_ns),
                             i % 3 == 0 ? score_of(i) : std::vector<std::byte>{}});
  }
  return stream;
}

MadeStream made_sound(const std::string& name, std::size_t blocks) {
  const reel::AudioFormat audio{reel::SampleFormat::S16LE, 48'000, 2};
  MadeStream stream{name, audio, "flac", {}};
  constexpr std::int64_t kBlock_ns = 20'000'000;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::int64_t media_ns = static_cast<std::int64_t>(i) * kBlock_ns;
    stream.frames.push_back(
        {noise(960 * 4, static_cast<unsigned>(1000 + i)), media_ns, info_at(media_ns, kBlock_ns), {}});
  }
  return stream;
}

std::vector<MadeSegment> make_recording(const std::string& directory, const std::string& recording,
                                        const std::vector<MadeStream>& streams,
                                        const std::vector<std::int64_t>& cuts, std::int64_t start_utc_ns) {
  if (gst_is_initialized() == FALSE) gst_init(nullptr, nullptr);
  const Maker maker(directory, recording, streams, start_utc_ns);
  const std::vector<std::int64_t> starts = maker.starts(cuts);
  std::vector<MadeSegment> made;
  for (std::size_t i = 0; i < starts.size(); ++i)
    made.push_back(maker.write(
        starts[i], i + 1 < starts.size() ? starts[i + 1] : std::numeric_limits<std::int64_t>::max()));
  return made;
}

MadeSegment make_event(const std::string& directory, const std::string& recording,
                       const std::vector<MadeStream>& streams, std::int64_t from_ns, std::int64_t to_ns) {
  return Maker(directory, recording, streams, kMadeAt_ns).write(from_ns, to_ns, true);
}

}  // namespace reel_test
