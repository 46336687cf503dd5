// Units of files again: from the middle of them, of damaged ones, of what others have written.
#include <gmock/gmock.h>

#include <media/file_kind.hpp>
#include <media/reader.hpp>
#include <media/repair.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::Container;
using record::Unit;

class Reader : public ::testing::Test {
 protected:
  void SetUp() override {
    begin_gstreamer();
    units_ = in_order(encode(picture_format(), {}, pictures(picture_format(), 100, 100 * kMs)),
                      encode(sound_format(), {}, sound(sound_format(), 500, 0, kSecond), 1));
  }

  // The key frame at or before 6.35 s, and all that comes from there.
  void seeks(const std::string& path) const {
    SCOPED_TRACE(path);
    record::UnitReader reader(path);
    static_cast<void>(reader.next());
    reader.seek(6350 * kMs);
    std::vector<Unit> seen;
    while (std::optional<Unit> unit = reader.next())
      if (unit->track == 0) seen.push_back(std::move(*unit));
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(seen.front().key);
    EXPECT_LE(seen.front().time_ns, 6350 * kMs);
    EXPECT_GE(seen.front().time_ns, 5 * kSecond);
    for (std::size_t i = 1; i < seen.size(); ++i)
      EXPECT_NEAR(static_cast<double>(seen[i].time_ns - seen[i - 1].time_ns), 1e8, 1e6);
  }

  std::vector<Unit> units_;
  reel_test::ScratchDir dir_;
};

TEST_F(Reader, GoesOnAtAKeyFrame) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string path = dir_.file("a." + std::string(extension_of(container)));
    write_file(path, container, 2, units_);
    seeks(path);
  }
}

TEST_F(Reader, GoesOnAtAKeyFrameOfAnUnfinishedFile) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "b." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units_);
    std::string bytes = dir_.read(name);
    bytes.resize(bytes.size() * 9 / 10);
    dir_.write(name, bytes);
    seeks(dir_.file(name));
  }
}

// As cameras have them. Demuxers tell of another rate in the middle of such files.
TEST_F(Reader, ReadsPicturesWhoseTimesAreUneven) {
  std::vector<record::Piece> uneven = pictures(picture_format(), 60, 40 * kMs);
  for (std::size_t i = 20; i < uneven.size(); ++i)
    uneven[i].time_ns += static_cast<std::int64_t>(i % 7 * i % 5) * kMs;
  const std::vector<Unit> units =
      in_order(encode(picture_format(), {}, uneven),
               encode(sound_format(), {}, sound(sound_format(), 120, 0, kSecond), 1));
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string path = dir_.file("uneven." + std::string(extension_of(container)));
    write_file(path, container, 2, units);
    record::UnitReader reader(path);
    std::size_t count = 0;
    while (const std::optional<Unit> unit = reader.next()) {
      ++count;
      EXPECT_EQ(unit->caps, reader.tracks()[unit->track].caps) << "the format is the same all the time";
    }
    EXPECT_EQ(reader.fault(), "") << path;
    EXPECT_EQ(count, units.size()) << path;
    EXPECT_EQ(record::repair(path, path + ".repaired").probe.tracks[0].frames, 60U) << path;
  }
}

// A bad sector: what lies before and behind it is read, and nothing hangs.
TEST_F(Reader, EndsWhateverIsInTheMiddle) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "c." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units_);
    const std::string whole = dir_.read(name);
    for (std::size_t place = 0; place < 16; ++place) {
      std::string bytes = whole;
      bytes.replace(whole.size() * place / 16, 512, 512, static_cast<char>(0xA5));
      dir_.write(name, bytes);
      const record::Probe probe = record::probe(dir_.file(name), true);
      for (const record::ProbedTrack& track : probe.tracks) EXPECT_LE(track.frames, units_.size());
      EXPECT_FALSE(probe.fault.empty() && probe.tracks.size() != 2) << place;
    }
  }
}

TEST_F(Reader, EndsWhereverAFileIsCut) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "f." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units_);
    const std::string whole = dir_.read(name);
    for (std::size_t length = 0; length < 6000; length += 113) {
      dir_.write(name, whole.substr(0, length));
      const record::Probe probe = record::probe(dir_.file(name));
      EXPECT_NE(probe.fault, "") << length;
      EXPECT_FALSE(probe.finished) << length;
    }
  }
}

// A power cut leaves room that was reserved, or whose bytes never came: zeros.
TEST_F(Reader, LeavesOutZerosAtTheEnd) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "e." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units_);
    std::string bytes = dir_.read(name);
    bytes.resize(bytes.size() * 9 / 10);
    dir_.write(name, bytes);
    const record::Probe cut = record::probe(dir_.file(name));
    bytes.resize(bytes.size() + 3'000'000);
    dir_.write(name, bytes);
    const std::string closed_path = dir_.file(name) + ".new";
    const record::Probe closed = record::repair(dir_.file(name), closed_path).probe;
    EXPECT_EQ(closed.fault, "");
    for (std::size_t track = 0; track < 2; ++track) {
      EXPECT_GE(closed.tracks.at(track).frames + 1, cut.tracks.at(track).frames);
      EXPECT_LE(closed.tracks.at(track).frames, cut.tracks.at(track).frames + 1);
    }
    EXPECT_LT(closed.bytes, bytes.size());
  }
}

TEST_F(Reader, KnowsAFileThatWasLeftBeforeItsFirstPicture) {
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string name = "h." + std::string(extension_of(container));
    write_file(dir_.file(name), container, 2, units_);
    EXPECT_FALSE(record::is_header_alone(dir_.file(name), container)) << name;
    const std::string bytes = dir_.read(name);
    const std::size_t media =
        container == Container::matroska ? bytes.find("\x1F\x43\xB6\x75") : bytes.find("moof") - 4;
    ASSERT_LT(media, bytes.size());
    for (const std::size_t size : {media - 1, media, media + 9}) {
      dir_.write(name, bytes.substr(0, size));
      EXPECT_EQ(record::is_header_alone(dir_.file(name), container), size == media) << name << ", " << size;
    }
  }
}

TEST_F(Reader, SaysWhatIsNoRecording) {
  dir_.write("d.mkv", "RIFF....AVI LIST");
  reel_test::expect_error(reel::ErrorCode::protocol, {"d.mkv", "neither Matroska nor MP4"},
                          [&] { record::UnitReader reader(dir_.file("d.mkv")); });
  reel_test::expect_error(reel::ErrorCode::not_found, {"none.mkv"},
                          [&] { record::UnitReader reader(dir_.file("none.mkv")); });
}

}  // namespace
