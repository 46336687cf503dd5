// A process that is killed while it records: what it leaves plays up to shortly before, and can be closed.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include <media/repair.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::Container;

// 10 pictures a second at a low bitrate, with sound, until it is killed; says the time of each picture that
// it has given away.
int record_until_killed(const std::vector<std::string>& arguments) {
  begin_gstreamer();
  const reel::Format formats[] = {picture_format(), sound_format()};
  record::CodingWish wish;
  wish.codec = arguments.at(1);
  wish.bitrate = 50'000;
  const Container container = record::container_from(arguments.at(2));
  const OpenFile file(arguments.at(0));
  record::DescriptorSink sink(file.descriptor());
  record::Mux::Settings settings;
  settings.container = container;
  settings.tracks = 2;
  record::Mux mux(std::move(settings), sink);
  std::vector<std::unique_ptr<record::Chain>> chains;
  for (std::size_t track = 0; track < 2; ++track) {
    record::Chain::Settings chain;
    chain.track = track;
    chain.format = formats[track];
    chain.coding = choose_coding(formats[track], wish, container, "test");
    chains.push_back(std::make_unique<record::Chain>(std::move(chain)));
  }
  const auto images = pictures(formats[0], 300, 100 * kMs);
  const auto sounds = sound(formats[1], 1500, 0, kSecond);
  auto due = std::chrono::steady_clock::now();
  for (std::size_t number = 0; number < images.size(); ++number) {
    std::this_thread::sleep_until(due += std::chrono::milliseconds(100));
    for (std::size_t piece = 0; piece < 5; ++piece) chains[1]->push(sounds[number * 5 + piece]);
    chains[0]->push(images[number]);
    for (const auto& chain : chains)
      for (const record::Unit& unit : chain->take()) mux.write(unit);
    reel_test::say(std::to_string(images[number].time_ns));
  }
  return 0;
}

const reel_test::Role recorder("record_until_killed", record_until_killed);

class Killed : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { begin_gstreamer(); }
  reel_test::ScratchDir dir_;
};

struct Recording {
  reel_test::ChildProcess child;
  std::string path;
  int lines;
};

std::int64_t last_said(reel_test::ChildProcess& child, int lines) {
  std::int64_t last_ns = -1;
  for (int line = 0; line < lines; ++line) last_ns = std::stoll(child.read_line().value_or("-1"));
  child.signal(SIGKILL);
  while (const auto more = child.read_line()) last_ns = std::stoll(*more);
  child.wait();
  return last_ns;
}

TEST_P(Killed, PlaysUpToShortlyBefore) {
  const std::string container = GetParam();
  std::vector<Recording> runs;
  for (int number = 0; number < 6; ++number) {
    const std::string path = dir_.file(std::to_string(number) + "." + container);
    runs.push_back({reel_test::ChildProcess::role("record_until_killed",
                                                  {path, number % 2 ? "h265" : "h264", container}),
                    path, 20 + number * 3});
  }
  for (Recording& run : runs) {
    const std::int64_t last_ns = last_said(run.child, run.lines);
    const record::Probe left = record::probe(run.path, true);
    ASSERT_EQ(left.tracks.size(), 2U) << left.fault;
    EXPECT_FALSE(left.finished);
    EXPECT_GE(left.tracks[0].last_ns, last_ns - 1500 * kMs);
    EXPECT_GE(left.tracks[1].last_ns, last_ns - 1500 * kMs);
    EXPECT_EQ(left.tracks[0].decoded, left.tracks[0].frames);

    const record::Probe closed = record::repair(run.path, run.path + ".new").probe;
    EXPECT_EQ(closed.fault, "");
    EXPECT_TRUE(closed.finished);
    ASSERT_EQ(closed.tracks.size(), 2U);
    for (std::size_t track = 0; track < 2; ++track) {
      EXPECT_EQ(closed.tracks[track].frames, left.tracks[track].frames);
      EXPECT_NEAR(static_cast<double>(closed.tracks[track].first_ns),
                  static_cast<double>(left.tracks[track].first_ns), 1e6);
      EXPECT_NEAR(static_cast<double>(closed.tracks[track].last_ns),
                  static_cast<double>(left.tracks[track].last_ns), 1e6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Containers, Killed, ::testing::Values("matroska", "mp4"));

class Repair : public ::testing::Test {
 protected:
  void SetUp() override { begin_gstreamer(); }
  reel_test::ScratchDir dir_;
};

TEST_F(Repair, SavesWhatIsThereOfEveryCodec) {
  for (const auto& [codec, audio_codec] :
       {std::pair{"h264", "aac"}, {"h265", "opus"}, {"mjpeg", "flac"}, {"ffv1", "pcm"}, {"raw", "flac"}}) {
    SCOPED_TRACE(codec);
    record::CodingWish wish;
    wish.codec = codec;
    wish.audio_codec = audio_codec;
    const auto units = in_order(encode(picture_format(), wish, pictures(picture_format(), 40, 100 * kMs)),
                                encode(sound_format(), wish, sound(sound_format(), 200, 0, kSecond), 1));
    const std::string path = dir_.file(std::string(codec) + ".mkv");
    write_file(path, Container::matroska, 2, units);
    std::string bytes = dir_.read(std::string(codec) + ".mkv");
    bytes.resize(bytes.size() * 7 / 10);
    dir_.write("cut.mkv", bytes);
    const record::Probe cut = record::probe(dir_.file("cut.mkv"));
    const record::Probe closed = record::repair(dir_.file("cut.mkv"), path + ".new").probe;
    EXPECT_EQ(closed.fault, "");
    EXPECT_GE(closed.tracks.at(0).frames, 20U);
    EXPECT_EQ(closed.tracks.at(0).frames, cut.tracks.at(0).frames);
    EXPECT_EQ(closed.tracks.at(1).frames, cut.tracks.at(1).frames);
    EXPECT_EQ(record::probe(path + ".new", true).tracks.at(0).decoded, closed.tracks.at(0).frames);
  }
}

/// The first track begins a second after the other one.
TEST_F(Repair, TellsWhichTracksItHas) {
  const reel::Format small = picture_format(), large = picture_format(320, 240);
  const auto units = in_order(encode(large, {}, pictures(large, 20, 40 * kMs, 960 * kMs)),
                              encode(small, {}, pictures(small, 44, 40 * kMs), 1));
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "a." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units);
    const std::string whole = dir_.read(name);
    std::size_t alone = 0, together = 0;
    for (std::size_t percent = 5; percent <= 100; percent += 5) {
      SCOPED_TRACE(name + " to " + std::to_string(percent) + " %");
      dir_.write(name, whole.substr(0, whole.size() * percent / 100));
      const auto found = record::probe(dir_.file(name)).tracks;
      if (std::all_of(found.begin(), found.end(), [](const auto& track) { return track.frames == 0; }))
        continue;
      const record::Repaired made =
          record::repair(dir_.file(name), dir_.file(std::to_string(percent) + "-" + name));
      ASSERT_EQ(made.places.size(), made.probe.tracks.size());
      for (std::size_t track = 0; track < made.places.size(); ++track)
        EXPECT_THAT(made.probe.tracks[track].caps,
                    ::testing::HasSubstr(made.places[track] == 0 ? "width=(int)320" : "width=(int)160"));
      ++(made.places.size() == 2 ? together : alone);
    }
    EXPECT_GE(alone, 2U);
    EXPECT_GE(together, 2U);
  }
}

/// A recorder may be killed in the middle of a repair, which then repairs what was repaired.
TEST_F(Repair, LeavesSoundAsItIsHoweverOften) {
  for (const auto& [codec, container] : {std::pair{"aac", Container::matroska},
                                         {"aac", Container::mp4},
                                         {"opus", Container::matroska},
                                         {"opus", Container::mp4},
                                         {"flac", Container::matroska},
                                         {"pcm", Container::matroska}}) {
    record::CodingWish wish;
    wish.audio_codec = codec;
    std::string path = dir_.file(std::string(codec) + "." + std::string(extension_of(container)));
    SCOPED_TRACE(path);
    write_file(path, container, 1, encode(sound_format(), wish, sound(sound_format(), 100, 0, kSecond)));
    const record::Probe first = record::probe(path, true);
    ASSERT_EQ(first.tracks.size(), 1U);
    EXPECT_THAT(first.tracks[0].caps, ::testing::HasSubstr("rate=(int)48000"));
    for (int time = 0; time < 4; ++time) {
      const std::string next = path + ".again";
      const record::Probe again = record::repair(path, next).probe;
      path = next;
      EXPECT_EQ(again.tracks.at(0).caps, first.tracks[0].caps);
      EXPECT_EQ(again.tracks.at(0).frames, first.tracks[0].frames);
    }
  }
}

TEST_F(Repair, SaysWhyNothingCanBeSaved) {
  const std::string garbage = dir_.write("a.mkv", std::string(5000, 'x'));
  const std::string empty = dir_.write("b.mkv", "");
  const std::string header = dir_.write("c.mkv", std::string("\x1A\x45\xDF\xA3", 4) + std::string(100, 'x'));
  for (const std::string& path : {garbage, empty, header}) {
    reel_test::expect_error(reel::ErrorCode::protocol, {path, "nothing can be saved"},
                            [&] { static_cast<void>(record::repair(path, dir_.file("new.mkv"))); });
    EXPECT_FALSE(std::ifstream(dir_.file("new.mkv")).good());
    EXPECT_NE(record::probe(path).fault, "");
  }
  reel_test::expect_error(reel::ErrorCode::not_found, {"none.mkv"},
                          [&] { static_cast<void>(record::probe(dir_.file("none.mkv"))); });
}

}  // namespace
