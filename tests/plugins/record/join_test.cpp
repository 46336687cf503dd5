// Segments as one file.
#include <gmock/gmock.h>

#include <fstream>

#include <media/join.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::Container;
using record::JoinPart;
using record::JoinSettings;
using record::Unit;

// Six seconds in three files, cut as a recorder does: pictures at key frames, sound where its units begin.
class Join : public ::testing::Test {
 protected:
  void SetUp() override {
    begin_gstreamer();
    units_ = in_order(encode(picture_format(), {}, pictures(picture_format(), 60, 100 * kMs, 10 * kSecond)),
                      encode(sound_format(), {}, sound(sound_format(), 300, 10 * kSecond, 15 * kSecond), 1));
    for (int part = 0; part < 3; ++part) {
      const std::int64_t begin_ns = part == 0 ? INT64_MIN : (10 + 2 * part) * kSecond;
      const std::int64_t end_ns = part == 2 ? INT64_MAX : (12 + 2 * part) * kSecond;
      std::vector<Unit> mine;
      for (const Unit& unit : units_)
        if (unit.time_ns >= begin_ns && unit.time_ns < end_ns) mine.push_back(unit);
      const std::string path = dir_.file(std::to_string(part) + ".mkv");
      write_file(path, Container::matroska, 2, mine);
      parts_.push_back({path, mine.front().time_ns});
    }
  }

  [[nodiscard]] std::uint64_t sounds() const {
    return static_cast<std::uint64_t>(
        std::count_if(units_.begin(), units_.end(), [](const Unit& unit) { return unit.track == 1; }));
  }

  std::vector<Unit> units_;
  std::vector<JoinPart> parts_;
  reel_test::ScratchDir dir_;
};

TEST_F(Join, HasEveryUnitOfAllParts) {
  REEL_NEEDS(reel_test::missing_programs({"ffprobe"}));
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string path = dir_.file("all." + std::string(extension_of(container)));
    JoinSettings settings;
    settings.container = container;
    double done = 0;
    settings.on_progress = [&](double now) {
      EXPECT_GE(now, done);
      done = now;
      return true;
    };
    const record::Probe made = record::join(parts_, settings, path);
    EXPECT_EQ(made.fault, "");
    EXPECT_TRUE(made.finished);
    EXPECT_EQ(made.container, container);
    EXPECT_EQ(done, 1.0);
    EXPECT_EQ(made.tracks.at(0).frames, 60U);
    EXPECT_EQ(made.tracks.at(1).frames, sounds());
    EXPECT_EQ(ffprobe_packets(path, "v:0"), 60U);
    EXPECT_NEAR(static_cast<double>(made.tracks.at(0).last_ns - made.tracks.at(0).first_ns), 5.9e9, 2e6);
    EXPECT_NEAR(static_cast<double>(tone_begins_ns(path)),
                static_cast<double>(15 * kSecond - parts_[0].start_ns), 4e6);
    EXPECT_EQ(record::probe(path, true).tracks.at(0).decoded, 60U);
    EXPECT_FALSE(std::ifstream(path + ".media").good());
  }
}

TEST_F(Join, CutsAtKeyFrames) {
  JoinSettings settings;
  settings.from_ns = 13'450 * kMs;
  settings.to_ns = 14'450 * kMs;
  std::int64_t key_ns = 0;
  for (const Unit& unit : units_)
    if (unit.track == 0 && unit.key && unit.time_ns <= settings.from_ns) key_ns = unit.time_ns;
  const auto expected =
      static_cast<std::uint64_t>(std::count_if(units_.begin(), units_.end(), [&](const Unit& unit) {
        return unit.track == 0 && unit.time_ns >= key_ns && unit.time_ns < settings.to_ns;
      }));
  const record::Probe made = record::join(parts_, settings, dir_.file("cut.mkv"));
  EXPECT_EQ(made.tracks.at(0).frames, expected);
  EXPECT_EQ(record::probe(dir_.file("cut.mkv"), true).tracks.at(0).decoded, expected);
}

TEST_F(Join, LeavesAPauseWhereAPartIsMissing) {
  const record::Probe made = record::join({parts_[0], parts_[2]}, {}, dir_.file("gap.mkv"));
  EXPECT_EQ(made.tracks.at(0).frames, 40U);
  EXPECT_NEAR(static_cast<double>(made.tracks.at(0).last_ns - made.tracks.at(0).first_ns), 5.9e9, 2e6);
}

TEST_F(Join, SaysWhatCannotBeJoined) {
  const auto larger = encode(picture_format(320, 240), {}, pictures(picture_format(320, 240), 10, 100 * kMs));
  write_file(dir_.file("other.mkv"), Container::matroska, 1, larger);
  reel_test::expect_error(reel::ErrorCode::bad_argument, {"other.mkv", "another format"}, [&] {
    static_cast<void>(
        record::join({parts_[0], {dir_.file("other.mkv"), 20 * kSecond}}, {}, dir_.file("a.mkv")));
  });
  EXPECT_FALSE(std::ifstream(dir_.file("a.mkv")).good());

  JoinSettings settings;
  settings.from_ns = 100 * kSecond;
  settings.to_ns = 101 * kSecond;
  reel_test::expect_error(reel::ErrorCode::bad_argument, {"nothing was recorded"},
                          [&] { static_cast<void>(record::join(parts_, settings, dir_.file("b.mkv"))); });
  EXPECT_FALSE(std::ifstream(dir_.file("b.mkv")).good());

  const std::string there = dir_.write("there.mkv", "mine");
  reel_test::expect_error(reel::ErrorCode::in_use, {"there.mkv"},
                          [&] { static_cast<void>(record::join(parts_, {}, there)); });
  EXPECT_EQ(dir_.read("there.mkv"), "mine");

  record::CodingWish wish;
  wish.codec = "ffv1";
  write_file(dir_.file("ffv1.mkv"), Container::matroska, 1,
             encode(picture_format(), wish, pictures(picture_format(), 3, 100 * kMs)));
  settings = {};
  settings.container = Container::mp4;
  reel_test::expect_error(reel::ErrorCode::unsupported, {"ffv1", ".mkv"}, [&] {
    static_cast<void>(record::join({{dir_.file("ffv1.mkv"), 0}}, settings, dir_.file("c.mp4")));
  });
}

}  // namespace
