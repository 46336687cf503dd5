// Units into files: all of them, where they were.
#include <gmock/gmock.h>

#include <reel_test/expect_error.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::CodingWish;
using record::Container;
using record::Unit;

class Mux : public ::testing::Test {
 protected:
  void SetUp() override { begin_gstreamer(); }

  [[nodiscard]] std::vector<Unit> both(const std::string& codec, const std::string& audio_codec,
                                       int seconds) const {
    CodingWish wish;
    wish.codec = codec;
    wish.audio_codec = audio_codec;
    return in_order(
        encode(picture_format(), wish, pictures(picture_format(), seconds * 10, 100 * kMs, 5 * kSecond)),
        encode(sound_format(), wish, sound(sound_format(), seconds * 50, 5 * kSecond, 6 * kSecond), 1));
  }
  reel_test::ScratchDir dir_;
};

struct Case {
  Container container;
  const char* codec;
  const char* audio_codec;
};
const Case kCases[] = {{Container::matroska, "h264", "aac"},   {Container::matroska, "h265", "opus"},
                       {Container::matroska, "mjpeg", "flac"}, {Container::matroska, "ffv1", "pcm"},
                       {Container::matroska, "raw", "aac"},    {Container::mp4, "h264", "aac"},
                       {Container::mp4, "h265", "opus"}};

std::size_t count_of(const std::vector<Unit>& units, std::size_t track) {
  return static_cast<std::size_t>(
      std::count_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.track == track; }));
}

TEST_F(Mux, WritesEveryUnitWithItsTime) {
  REEL_NEEDS(reel_test::missing_programs({"ffprobe"}));
  for (const Case& entry : kCases) {
    SCOPED_TRACE(std::string(to_string(entry.container)) + " " + entry.codec + " " + entry.audio_codec);
    const auto units = both(entry.codec, entry.audio_codec, 3);
    const std::string path = dir_.file("a." + std::string(extension_of(entry.container)));
    write_file(path, entry.container, 2, units);
    const record::Probe probe = record::probe(path, true);
    EXPECT_EQ(probe.fault, "");
    EXPECT_TRUE(probe.finished);
    ASSERT_EQ(probe.tracks.size(), 2U);
    EXPECT_EQ(probe.tracks[0].codec, entry.codec);
    EXPECT_EQ(probe.tracks[1].codec, entry.audio_codec);
    EXPECT_EQ(probe.tracks[0].frames, 30U);
    EXPECT_EQ(probe.tracks[0].decoded, 30U);
    EXPECT_EQ(static_cast<long>(probe.tracks[0].key_frames),
              std::count_if(units.begin(), units.end(),
                            [](const Unit& unit) { return unit.track == 0 && unit.key; }));
    EXPECT_EQ(probe.tracks[1].frames, count_of(units, 1));
    EXPECT_GE(probe.tracks[1].decoded, 3 * 48'000U - 48U);
    EXPECT_EQ(ffprobe_packets(path, "v:0"), 30U);
    EXPECT_EQ(ffprobe_packets(path, "a:0"), count_of(units, 1));
    // The picture's times are those of the units, less what is 0 in the file.
    const std::int64_t origin_ns =
        std::min_element(units.begin(), units.end(), [](const Unit& one, const Unit& other) {
          return one.time_ns < other.time_ns;
        })->time_ns;
    EXPECT_NEAR(static_cast<double>(probe.tracks[0].first_ns), static_cast<double>(5 * kSecond - origin_ns),
                1e6);
    EXPECT_NEAR(static_cast<double>(probe.tracks[0].last_ns), static_cast<double>(7900 * kMs - origin_ns),
                1e6);
    // And the tone is where it was: 6 s.
    EXPECT_NEAR(static_cast<double>(tone_begins_ns(path)), static_cast<double>(6 * kSecond - origin_ns), 3e6);
  }
}

TEST_F(Mux, GoesOnWithoutATrackThatLeft) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string path = dir_.file("b." + std::string(extension_of(container)));
    const auto units = both("h264", "aac", 4);
    const OpenFile file(path);
    record::DescriptorSink sink(file.descriptor());
    record::Mux::Settings settings;
    settings.container = container;
    settings.tracks = 3;  // the third never comes
    settings.where = "b";
    record::Mux mux(std::move(settings), sink);
    for (const Unit& unit : units) {
      if (unit.track == 1 && unit.time_ns > 6 * kSecond) continue;
      if (unit.track == 0 && unit.frame == 5) {
        EXPECT_EQ(mux.bytes(), 0U);
        mux.leave(2);
      }
      if (unit.track == 0 && unit.frame == 12) mux.leave(1);
      mux.write(unit);
    }
    // Everything but what belongs to the last cluster or fragment comes without an end.
    EXPECT_TRUE(reel_test::wait_until([&] { return mux.held_bytes() == 0 && mux.bytes() > 1000; }));
    mux.finish();
    const record::Probe probe = record::probe(path);
    EXPECT_EQ(probe.fault, "");
    ASSERT_EQ(probe.tracks.size(), 2U);
    EXPECT_EQ(probe.tracks[0].frames, 40U);
  }
}

TEST_F(Mux, HoldsNothingOfFilesThatAreDone) {
  const auto units = both("h264", "aac", 1);
  const std::string path = dir_.file("many.mkv");
  const auto write_some = [&] {
    for (int file = 0; file < 40; ++file) {
      write_file(path, file % 2 ? Container::matroska : Container::mp4, 2, units);
      static_cast<void>(encode(picture_format(), {}, pictures(picture_format(), 2, kSecond)));
    }
  };
  write_some();
  const std::size_t descriptors = reel_test::open_descriptors();
  const std::size_t bytes = reel_test::resident_bytes();
  for (int round = 0; round < 3; ++round) write_some();
  EXPECT_LE(reel_test::open_descriptors(), descriptors);
  EXPECT_LT(reel_test::resident_bytes(), bytes + 64'000'000);
}

TEST_F(Mux, HoldsSoundAloneInFewClusters) {
  const auto units = encode(sound_format(), {}, sound(sound_format(), 500, 0, kSecond));
  write_file(dir_.file("sound.mkv"), Container::matroska, 1, units);
  const std::string bytes = dir_.read("sound.mkv");
  std::size_t clusters = 0;
  for (std::size_t at = 0; (at = bytes.find("\x1F\x43\xB6\x75", at)) != std::string::npos; ++at) ++clusters;
  EXPECT_LE(clusters, 25U);
  EXPECT_GE(clusters, 10U);
}

TEST_F(Mux, SaysThatTheDiskIsFull) {
  class Full : public record::ByteSink {
   public:
    [[nodiscard]] int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept override {
      return offset + bytes.size() > 4000 ? ENOSPC : 0;
    }
  };
  const auto units = both("h264", "aac", 4);
  Full sink;
  record::Mux::Settings settings;
  settings.tracks = 2;
  settings.where = "door.mkv";
  record::Mux mux(std::move(settings), sink);
  reel_test::expect_error(reel::ErrorCode::io, {"door.mkv", "No space left on device"}, [&] {
    for (const Unit& unit : units) mux.write(unit);
    mux.finish();
  });
}

TEST_F(Mux, RefusesAnotherFormatAndTracksThatLeft) {
  const OpenFile file(dir_.file("c.mkv"));
  record::DescriptorSink sink(file.descriptor());
  record::Mux::Settings settings;
  settings.tracks = 1;
  record::Mux mux(std::move(settings), sink);
  CodingWish wish;
  mux.write(encode(picture_format(), wish, pictures(picture_format(), 1, kSecond)).at(0));
  const auto larger = encode(picture_format(320, 240), wish, pictures(picture_format(320, 240), 1, kSecond));
  reel_test::expect_error(reel::ErrorCode::bad_argument, {"track 0", "320", "new file"},
                          [&] { mux.write(larger.at(0)); });
  mux.leave(0);
  reel_test::expect_error(reel::ErrorCode::bad_argument, {"track 0", "left"},
                          [&] { mux.write(larger.at(0)); });
  mux.finish();
}

TEST_F(Mux, LeavesAFileWithoutUnitsEmpty) {
  const std::string path = dir_.file("d.mkv");
  write_file(path, Container::matroska, 2, {});
  EXPECT_EQ(dir_.read("d.mkv"), "");
  EXPECT_THAT(record::probe(path).fault, ::testing::HasSubstr("empty"));
}

}  // namespace
