// Player: what was recorded comes out again, frame by frame.
#include "made_recording.hpp"
#include "play/player.hpp"

#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include <reel/gst/read_map.hpp>

using reel_test::made_pictures;
using reel_test::made_sound;
using reel_test::MadeFrame;
using reel_test::MadeStream;
using reel_test::make_recording;
using testing::HasSubstr;

namespace {

using Played = std::vector<record::PlayFrame>;

std::vector<Played> play_all(record::Player::Settings settings,
                             std::vector<std::string>* complaints = nullptr) {
  std::vector<Played> played(settings.streams.size());
  record::Player player(std::move(settings));
  std::int64_t before_ns = std::numeric_limits<std::int64_t>::min();
  while (std::optional<record::Player::Next> next = player.next()) {
    EXPECT_GE(next->frame.media_ns, before_ns) << "streams are not in the order of their times";
    before_ns = next->frame.media_ns;
    played[next->stream].push_back(std::move(next->frame));
  }
  if (complaints != nullptr) *complaints = player.complaints();
  return played;
}

record::Player::Settings of(const std::string& path, std::vector<std::string> streams) {
  return {record::find_recording({path, "", "", ""}), std::move(streams), false};
}

void expect_same(const record::PlayFrame& played, const MadeFrame& made) {
  EXPECT_EQ(played.media_ns, made.media_ns);
  EXPECT_EQ(played.info.pts_ns, made.info.pts_ns);
  EXPECT_EQ(played.info.dts_ns, made.info.dts_ns);
  EXPECT_EQ(played.info.duration_ns, made.info.duration_ns);
  EXPECT_EQ(played.info.capture_ns, made.info.capture_ns);
  EXPECT_EQ(played.info.flags, made.info.flags);
  EXPECT_EQ(played.side_data, made.side_data);
}

void expect_same_bytes(const record::PlayFrame& played, const MadeFrame& made) {
  const reel::gst::ReadMap map(played.buffer.get());
  ASSERT_EQ(map.bytes().size(), made.bytes.size());
  EXPECT_TRUE(std::equal(made.bytes.begin(), made.bytes.end(), map.bytes().begin()))
      << "the frame at " << made.media_ns << " ns has other bytes";
}

void expect_all(const Played& played, const MadeStream& made, std::size_t from = 0) {
  ASSERT_EQ(played.size() + from, made.frames.size());
  for (std::size_t i = 0; i < played.size() && !testing::Test::HasFailure(); ++i) {
    expect_same(played[i], made.frames[from + i]);
    expect_same_bytes(played[i], made.frames[from + i]);
    EXPECT_EQ(played[i].format->caps(), made.format.caps());
  }
}

}  // namespace

TEST(Player, GivesPicturesAndSoundOfManySegmentsAsTheyWere) {
  const reel_test::ScratchDir scratch;
  const std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 100),
                                        made_sound("microphone", 200)};
  const auto segments = make_recording(scratch.path(), "door", streams, {1'000'000'000, 2'500'000'000});
  ASSERT_EQ(segments.size(), 3U);
  std::vector<std::string> complaints;
  const auto played = play_all(of(scratch.path(), {"front", "microphone"}), &complaints);
  expect_all(played[0], streams[0]);
  expect_all(played[1], streams[1]);
  EXPECT_THAT(complaints, testing::IsEmpty());
}

// Media time 0 is the first frame that the recorder saw, not the earliest one.
TEST(Player, GivesWhatIsBeforeMediaTimeZero) {
  for (const std::string codec : {"ffv1", "h264"}) {
    SCOPED_TRACE(codec);
    const reel_test::ScratchDir scratch;
    std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 50),
                                    made_sound("microphone", 100)};
    streams[0].codec = codec;
    for (MadeFrame& frame : streams[0].frames) frame.media_ns -= 99'000'000;
    for (MadeFrame& frame : streams[1].frames) frame.media_ns -= 30'000'000;
    make_recording(scratch.path(), "door", streams, {1'000'000'000});
    std::vector<std::string> complaints;
    const auto played = play_all(of(scratch.path(), {"front", "microphone"}), &complaints);
    EXPECT_THAT(complaints, testing::IsEmpty());
    expect_all(played[1], streams[1]);
    ASSERT_EQ(played[0].size(), streams[0].frames.size());
    for (std::size_t i = 0; i < played[0].size(); ++i) expect_same(played[0][i], streams[0].frames[i]);
  }
}

class PlayerFormats : public testing::TestWithParam<reel::PixelFormat> {};

TEST_P(PlayerFormats, OfALosslessRecordingAreTheSame) {
  const reel_test::ScratchDir scratch;
  const std::vector<MadeStream> streams{made_pictures("front", GetParam(), 10)};
  make_recording(scratch.path(), "door", streams);
  expect_all(play_all(of(scratch.path(), {"front"}))[0], streams[0]);
}

INSTANTIATE_TEST_SUITE_P(Each, PlayerFormats,
                         testing::Values(reel::PixelFormat::I420, reel::PixelFormat::NV12,
                                         reel::PixelFormat::NV21, reel::PixelFormat::YUY2,
                                         reel::PixelFormat::UYVY, reel::PixelFormat::Y444,
                                         reel::PixelFormat::BGR, reel::PixelFormat::RGB,
                                         reel::PixelFormat::BGRA, reel::PixelFormat::RGBA,
                                         reel::PixelFormat::GRAY8, reel::PixelFormat::GRAY16_LE),
                         [](const auto& one) { return std::string(to_string(one.param)); });

TEST(Player, KeepsColoursThatTheStreamCountsInItsOwnWay) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::NV12, 10)};
  streams[0].format = reel::Format::from_caps(streams[0].format.caps() +
                                              ", colorimetry=(string)bt709, chroma-site=(string)mpeg2");
  make_recording(scratch.path(), "door", streams);
  expect_all(play_all(of(scratch.path(), {"front"}))[0], streams[0]);
}

TEST(Player, OfRawPicturesGivesTheSameBytes) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::NV12, 10)};
  streams[0].codec = "raw";
  make_recording(scratch.path(), "door", streams);
  expect_all(play_all(of(scratch.path(), {"front"}))[0], streams[0]);
}

TEST(Player, OfEventsInFilesOfTheirOwnGivesEachFrameOnce) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 100),
                                  made_sound("microphone", 200)};
  make_recording(scratch.path(), "door", streams, {1'000'000'000, 2'000'000'000, 3'000'000'000});
  // One event within the second, another in the third and the fourth, of which the fourth is gone.
  const auto write_event = [&](std::int64_t from_ns, std::int64_t to_ns) {
    const auto made = reel_test::make_event(scratch.path(), "door", streams, from_ns, to_ns);
    EXPECT_THAT(made.path, HasSubstr("-event"));
  };
  write_event(1'200'000'000, 1'800'000'000);
  write_event(2'520'000'000, 3'520'000'000);
  record::Recording recording = record::find_recording({scratch.path(), "door", "", ""});
  EXPECT_EQ(recording.files.size(), 4U) << "what continuous files have is not played from those of events";
  std::filesystem::remove(recording.files[3].path);
  std::filesystem::remove(std::filesystem::path(recording.files[3].path).replace_extension(".json"));
  std::vector<std::string> complaints;
  const auto played = play_all(of(scratch.path(), {"front", "microphone"}), &complaints);
  streams[0].frames.resize(88);
  expect_all(played[0], streams[0]);
  streams[1].frames.resize(176);
  expect_all(played[1], streams[1]);
  EXPECT_THAT(complaints, testing::IsEmpty());
}

TEST(Player, OfH264GivesEachFrameOnceWithItsOwnTimes) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::NV12, 60)};
  streams[0].codec = "h264";
  const auto segments = make_recording(scratch.path(), "door", streams, {1'000'000'000});
  ASSERT_EQ(segments.size(), 2U);
  const auto played = play_all(of(scratch.path(), {"front"}));
  ASSERT_EQ(played[0].size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) expect_same(played[0][i], streams[0].frames[i]);
}

TEST(Player, OfAacCutsTheSoundIntoTheBlocksThatWerePublished) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 50),
                                  made_sound("microphone", 100)};
  streams[1].codec = "aac";
  make_recording(scratch.path(), "door", streams, {1'000'000'000});
  const auto played = play_all(of(scratch.path(), {"microphone"}));
  ASSERT_EQ(played[0].size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    expect_same(played[0][i], streams[1].frames[i]);
    EXPECT_EQ(gst_buffer_get_size(played[0][i].buffer.get()), 960U * 4) << "block " << i;
  }
}

TEST(Player, GivesWhatTheFilesHoldWhereItIsAskedFor) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 50),
                                  made_sound("microphone", 100)};
  streams[0].codec = "h264";
  streams[1].codec = "aac";
  const auto segments = make_recording(scratch.path(), "door", streams, {1'000'000'000});
  auto settings = of(scratch.path(), {"front", "microphone"});
  settings.encoded = true;
  const auto played = play_all(std::move(settings));
  ASSERT_EQ(played[0].size(), segments[0].units[0] + segments[1].units[0]);
  ASSERT_EQ(played[1].size(), segments[0].units[1] + segments[1].units[1]);
  std::size_t keys = 0;
  for (std::size_t i = 0; i < played[0].size(); ++i) {
    ASSERT_NE(played[0][i].format->encoded(), nullptr);
    EXPECT_EQ(played[0][i].info.pts_ns, streams[0].frames[i].info.pts_ns);
    EXPECT_EQ(played[0][i].side_data, streams[0].frames[i].side_data);
    keys += (played[0][i].info.flags & reel::kKeyFrame) != 0 ? 1 : 0;
  }
  EXPECT_GE(keys, 2U);
  EXPECT_LT(keys, played[0].size());
  EXPECT_EQ(played[1].front().format->encoded()->codec, reel::Codec::aac);
}

TEST(Player, CutsBetweenFromAndToToTheFrame) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 100),
                                  made_sound("microphone", 200)};
  streams[0].codec = "h264";
  make_recording(scratch.path(), "door", streams, {1'000'000'000, 2'000'000'000});
  std::vector<std::string> complaints;
  const auto played = play_all({record::find_recording({scratch.path(), "door", "+1500ms", "+2200ms"}),
                                {"front", "microphone"},
                                false},
                               &complaints);
  ASSERT_FALSE(played[0].empty());
  ASSERT_FALSE(played[1].empty());
  EXPECT_EQ(played[0].front().media_ns, 1'520'000'000);
  EXPECT_EQ(played[0].back().media_ns, 2'160'000'000);
  EXPECT_EQ(played[0].size(), 17U);
  EXPECT_EQ(played[1].front().media_ns, 1'500'000'000);
  EXPECT_EQ(played[1].back().media_ns, 2'180'000'000);
  EXPECT_EQ(played[1].size(), 35U);
  EXPECT_THAT(complaints, testing::IsEmpty());
}

TEST(Player, OfATruncatedFilePlaysWhatThereIsAndSaysSo) {
  const reel_test::ScratchDir scratch;
  const std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 100)};
  const auto segments = make_recording(scratch.path(), "door", streams);
  std::filesystem::resize_file(segments[0].path, std::filesystem::file_size(segments[0].path) / 2);
  std::vector<std::string> complaints;
  const auto played = play_all(of(segments[0].path, {"front"}), &complaints);
  ASSERT_GT(played[0].size(), 20U);
  ASSERT_LT(played[0].size(), 80U);
  for (std::size_t i = 0; i < played[0].size(); ++i) expect_same_bytes(played[0][i], streams[0].frames[i]);
  ASSERT_FALSE(complaints.empty());
  EXPECT_THAT(complaints.back(),
              HasSubstr(std::to_string(100 - played[0].size()) + " frames that the recording knows of"));
}

TEST(Player, PassesOverASegmentThatCannotBeReadAndSaysWhatIsMissing) {
  const reel_test::ScratchDir scratch;
  const std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 75)};
  const auto segments = make_recording(scratch.path(), "door", streams, {1'000'000'000, 2'000'000'000});
  ASSERT_EQ(segments.size(), 3U);
  std::filesystem::resize_file(segments[1].path, 0);
  std::vector<std::string> complaints;
  const auto played = play_all(of(scratch.path(), {"front"}), &complaints);
  ASSERT_EQ(played[0].size(), 50U);
  for (std::size_t i = 0; i < 50; ++i)
    expect_same_bytes(played[0][i], streams[0].frames[i < 25 ? i : i + 25]);
  EXPECT_THAT(complaints,
              testing::ElementsAre(HasSubstr(segments[1].path),
                                   HasSubstr("stream front: 25 frames that the recording knows")));
  reel_test::expect_error(reel::ErrorCode::protocol, {segments[1].path},
                          [&] { (void)play_all(of(segments[1].path, {"front"})); });
}

TEST(Player, LeavesNothingOutWhereAStreamIsAwayForLong) {
  const reel_test::ScratchDir scratch;
  std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::GRAY8, 400, 10),
                                  made_sound("microphone", 100)};
  const auto later = made_sound("microphone", 1950).frames;
  streams[1].frames.insert(streams[1].frames.end(), later.begin() + 1800, later.end());
  streams[1].codec = "pcm";
  make_recording(scratch.path(), "door", streams);
  std::vector<std::string> complaints;
  const auto played = play_all(of(scratch.path(), {"front", "microphone"}), &complaints);
  expect_all(played[0], streams[0]);
  expect_all(played[1], streams[1]);
  EXPECT_THAT(complaints, testing::IsEmpty());
}

TEST(Player, NamesTheStreamsThatThereAre) {
  const reel_test::ScratchDir scratch;
  make_recording(scratch.path(), "door", {made_pictures("front", reel::PixelFormat::I420, 5)});
  reel_test::expect_error(reel::ErrorCode::bad_config,
                          {"the recording 'door' has no stream 'fromt': it has front"},
                          [&] { record::Player player(of(scratch.path(), {"fromt"})); });
}

TEST(Recordings, AreFoundOrSaidNotToBe) {
  const reel_test::ScratchDir scratch;
  const std::vector<MadeStream> streams{made_pictures("front", reel::PixelFormat::I420, 5)};
  make_recording(scratch.path(), "door", streams);
  make_recording(scratch.path(), "gate", streams);
  const auto expect_refused = [](reel::ErrorCode code, const record::Selection& selection,
                                 const std::string& words) {
    reel_test::expect_error(code, {words}, [&] { (void)record::find_recording(selection); });
  };
  using reel::ErrorCode;
  expect_refused(ErrorCode::bad_argument, {scratch.path(), "", "", ""}, "choose door or gate");
  expect_refused(ErrorCode::not_found, {scratch.path(), "dor", "", ""}, "no recording 'dor'");
  expect_refused(ErrorCode::not_found, {scratch.path() + "/no", "", "", ""}, "no such file or directory");
  expect_refused(ErrorCode::bad_argument, {scratch.path(), "door", "yesterday", ""},
                 "'yesterday' is not a time such as");
  expect_refused(ErrorCode::not_found, {scratch.path(), "door", "+10s", ""}, "lies between from and to");

  const reel_test::ScratchDir open;
  const std::string path = make_recording(open.path(), "door", streams)[0].path;
  const std::string stem = std::filesystem::path(path).replace_extension().string();
  std::filesystem::rename(path, stem + ".open.mkv");
  std::filesystem::remove(stem + ".json");
  expect_refused(ErrorCode::not_found, {open.path(), "", "", ""}, "is still being written");
}
