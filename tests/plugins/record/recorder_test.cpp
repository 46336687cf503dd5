// The recorder behind its spool: what comes faster than it can be encoded waits, and what is lost is counted
// where it is missing.
#include "recorder_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

namespace reel_test {
namespace {

using record::Recorder;
using record::RecordSettings;
using record::SpooledFrame;

TEST(Recorder, LosesNothingThatFitsIntoTheSpool) {
  for (const bool with_disk : {false, true}) {
    const ScratchDir scratch;
    RecordSettings settings = settings_in(scratch);
    if (with_disk) {
      settings.spool_memory = 4'000'000;
      settings.spool_disk = 200'000'000;
      settings.spool_directory = scratch.path();
    }
    Recorder recorder(settings, {"camera"});
    Camera camera;
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(recorder.spool().put(camera.next()));
    const record::Spool::Counts full = recorder.spool().counts();
    recorder.finish();
    EXPECT_GT(full.most_frames, 50U) << "it was not faster than the encoder";
    EXPECT_EQ(full.spilled > 0, with_disk);
    EXPECT_EQ(recorder.spool().counts().frames, 0U);
    EXPECT_EQ(recorder.spool().counts().lost, 0U);
    recorder.wait_for_files();
    const auto segments = finished_in(settings.directory);
    expect_intact(settings.directory, segments);
    EXPECT_EQ(pictures_in(segments), 300U);
    expect_steady(units_of(settings.directory, segments, "camera"), kStep_ns, 1'100'000);
  }
}

TEST(Recorder, CountsWhatItLosesWhereItIsMissing) {
  const ScratchDir scratch;
  RecordSettings settings = settings_in(scratch);
  settings.spool_memory = 20'000'000;
  Recorder recorder(settings, {"camera"});
  Camera camera;
  while (recorder.spool().counts().lost < 100 || camera.frames() < 500)
    (void)recorder.spool().put(camera.next());
  // The last one gets in, so that the loss before it ends.
  while (!recorder.spool().wait_for_room(10'000'000, 100)) {
  }
  EXPECT_TRUE(recorder.spool().put(camera.next()));
  recorder.finish();
  recorder.wait_for_files();
  const std::uint64_t lost = recorder.spool().counts().lost;
  const auto segments = finished_in(settings.directory);
  expect_intact(settings.directory, segments);
  EXPECT_EQ(lost_frames(segments, "camera"), lost);
  EXPECT_EQ(pictures_in(segments) + lost, camera.frames());
  // The times that are missing are those of the gaps.
  const auto units = units_of(settings.directory, segments, "camera");
  std::int64_t missing_ns = 0;
  for (std::size_t i = 1; i < units.size(); ++i)
    missing_ns += units[i].media_ns - units[i - 1].media_ns - kStep_ns;
  std::int64_t gaps_ns = 0;
  for (const auto& segment : segments)
    for (const auto& gap : segment.gaps) gaps_ns += gap.end_ns - gap.start_ns;
  EXPECT_EQ(gaps_ns, static_cast<std::int64_t>(lost) * kStep_ns);
  EXPECT_NEAR(static_cast<double>(missing_ns), static_cast<double>(gaps_ns),
              1e6 * static_cast<double>(segments.size() + 1));
  const std::vector<std::uint64_t> numbers = numbers_of(settings.directory, segments, "camera");
  EXPECT_EQ(numbers.back() + 1 - numbers.size(), lost) << "the facts tell of the same";
}

TEST(Recorder, NamesEachLossBetweenTwoFiles) {
  const ScratchDir scratch;
  const RecordSettings settings = settings_in(scratch);
  Recorder recorder(settings, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 50; ++i) (void)recorder.spool().put(camera.next());
  for (const char* reason : {"one reason", "another"}) {
    const SpooledFrame first = camera.next();
    recorder.spool().put_lost(first, 10, reason);
    camera.skip(9);
  }
  for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  recorder.finish();
  recorder.wait_for_files();
  const auto segments = finished_in(settings.directory);
  ASSERT_EQ(segments.size(), 2U);
  ASSERT_EQ(segments[0].tracks[0].frames, 50U);
  ASSERT_EQ(segments[1].gaps.size(), 2U);
  EXPECT_EQ(segments[1].gaps[0].reason, "one reason");
  EXPECT_EQ(segments[1].gaps[1].reason, "another");
  EXPECT_EQ(lost_frames(segments, "camera"), 20U);
}

TEST(Recorder, BeginsANewFileWhereThePictureChangesItsSize) {
  const ScratchDir scratch;
  const RecordSettings settings = settings_in(scratch);
  Recorder recorder(settings, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  camera.resize(640, 360);
  for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  recorder.finish();
  recorder.wait_for_files();
  const auto segments = finished_in(settings.directory);
  ASSERT_EQ(segments.size(), 2U);
  expect_intact(settings.directory, segments);
  EXPECT_THAT(segments[0].tracks[0].caps, ::testing::HasSubstr("width=(int)320"));
  EXPECT_THAT(segments[1].tracks[0].caps, ::testing::HasSubstr("width=(int)640"));
  EXPECT_EQ(segments[0].tracks[0].frames, 30U);
  EXPECT_EQ(segments[1].tracks[0].frames, 30U);
  expect_steady(units_of(settings.directory, segments, "camera"), kStep_ns, 1'100'000);
}

TEST(Recorder, GoesOnWhereItStoodWhenItIsStartedAgain) {
  const ScratchDir scratch;
  const RecordSettings settings = settings_in(scratch);
  Camera camera(320, 240);
  {
    Recorder recorder(settings, {"camera"});
    for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  }
  {
    Recorder recorder(settings, {"camera"});
    EXPECT_EQ(recorder.standing(0).next_number, 30U);
    for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  }
  const auto segments = finished_in(settings.directory);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[1].tracks[0].first_frame, 30U);
  EXPECT_GE(segments[1].start_ns, segments[0].end_ns);
  ASSERT_EQ(segments[1].gaps.size(), 1U);
  EXPECT_EQ(segments[1].gaps[0].reason, "the recorder was not running");
  EXPECT_EQ(segments[1].gaps[0].start_ns, segments[0].end_ns);
}

TEST(Recorder, ClosesWhatIsDamagedBeforeItBegins) {
  const ScratchDir scratch;
  const RecordSettings settings = settings_in(scratch);
  { Recorder recorder(settings, {"camera"}); }
  const std::string day = settings.directory + "/2026-11-20";
  std::filesystem::create_directory(day);
  std::ofstream(day + "/door_20261120T101010.000Z.open.mkv");
  std::ofstream(day + "/door_20261120T101011.000Z.open.mkv") << std::string(100'000, 'x');
  {
    Recorder recorder(settings, {"camera"});
    Camera camera(320, 240);
    for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  }
  const auto segments = segments_in(settings.directory);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].state, record::SegmentState::broken);
  EXPECT_EQ(segments[0].path, "2026-11-20/door_20261120T101011.000Z.mkv");
  EXPECT_EQ(segments[1].state, record::SegmentState::finished);
}

TEST(Recorder, RefusesASecondOneOfTheSameName) {
  const ScratchDir scratch;
  RecordSettings settings = settings_in(scratch);
  Recorder recorder(settings, {"camera"});
  expect_error(reel::ErrorCode::in_use, {"door"}, [&] { Recorder(settings, {"camera"}); });
  settings.name = "hall";
  Recorder(settings, {"camera"}).finish();
}

TEST(Recorder, RunsItsHookForEachFile) {
  const ScratchDir scratch;
  RecordSettings settings = settings_in(scratch);
  settings.hook = scratch.write("hook", "#!/bin/sh\necho \"$1\" >> " + scratch.path() + "/hooked\n");
  settings.hook_timeout_ns = 600'000'000'000;
  std::filesystem::permissions(settings.hook, std::filesystem::perms::owner_all);
  {
    Recorder recorder(settings, {"camera"});
    Camera camera(320, 240);
    for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  }
  const auto segments = finished_in(settings.directory);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(scratch.read("hooked"), settings.directory + "/" + segments[0].path + "\n");
}

}  // namespace
}  // namespace reel_test
