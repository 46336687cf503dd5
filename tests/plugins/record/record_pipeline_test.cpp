// Real pipelines, recorded: all that was published is in the files, once, with its times.
#include "recordings.hpp"

#include <running_pipeline.hpp>

#include <csignal>
#include <numeric>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::uint64_t published(const nlohmann::json& summary, const std::string& stage, const std::string& stream) {
  for (const auto& each : summary["stages"])
    if (each["name"] == stage)
      for (const auto& output : each["outputs"])
        if (output["stream"] == stream) return output["frames"];
  return 0;
}

TEST(RecordPipeline, TheClipIsWholeAcrossItsSegments) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  const std::string summary = scratch.path() + "/summary.json";
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/record.yaml", "--summary-json", summary},
                            {{"RECORDINGS", directory}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  const auto json = nlohmann::json::parse(scratch.read("summary.json"));

  const auto segments = finished_in(directory);
  ASSERT_EQ(segments.size(), 5U) << reel.errors();
  EXPECT_EQ(segments_in(directory).size(), segments.size()) << "one was left open";
  expect_intact(directory, segments);
  std::vector<std::uint64_t> counts;
  for (const auto& segment : segments) {
    EXPECT_TRUE(segment.gaps.empty());
    ASSERT_EQ(segment.tracks.size(), 2U);
    counts.push_back(segment.tracks[0].frames);
  }
  EXPECT_THAT(counts, ElementsAre(60, 60, 60, 60, 9));
  const auto pictures = units_of(directory, segments, "camera");
  EXPECT_EQ(pictures.size(), published(json, "camera", "camera")) << json;
  expect_steady(pictures, 33'333'333, 1'100'000);  // Matroska counts in milliseconds
  const auto sound = units_of(directory, segments, "microphone");
  expect_steady(sound, 21'333'333, 1'100'000);
  // AAC's blocks are 1024 samples as those of the clip are, one more for what the encoder holds.
  EXPECT_NEAR(static_cast<double>(sound.size()), static_cast<double>(published(json, "camera", "microphone")),
              2);
  EXPECT_NEAR(static_cast<double>(sound.front().media_ns - pictures.front().media_ns), 0, 40e6);

  for (const std::string stream : {"camera", "microphone"}) {
    std::vector<std::uint64_t> expected(published(json, "camera", stream));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(numbers_of(directory, segments, stream), expected) << stream;
  }
}

TEST(RecordPipeline, SoundAloneIsCutByTime) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: sound
stages:
  source:
    use: synthetic.source
    options: {rate: 48000, channels: 1, frames: 300, fps: 0}
    out: sound
  recorder: {use: record, in: sound, options: {directory: recordings, segment: 2s, audio_codec: pcm}}
)");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto segments = finished_in(directory);
  EXPECT_GE(segments.size(), 4U) << pipeline.log();
  expect_intact(directory, segments);
  expect_steady(units_of(directory, segments, "sound"), 33'333'333, 1'100'000);
}

/// Sound is read and encoded long before the pictures of its time.
TEST(RecordPipeline, AClipReadAsFastAsItCanBeIsCutAllTheSame) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: fast
stages:
  camera:
    use: capture
    options: {uri: ")" REEL_CONFIGS R"(/../apps/media/hello.mp4", realtime: false}
    out: {video: camera, audio: microphone}
  recorder: {use: record, in: [camera, microphone], options: {directory: recordings, segment: 2s}}
)");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  std::vector<std::uint64_t> counts;
  for (const auto& segment : segments) {
    ASSERT_EQ(segment.tracks.size(), 2U) << segment.path;
    counts.push_back(segment.tracks[0].frames);
  }
  EXPECT_THAT(counts, ElementsAre(60, 60, 60, 60, 9));
  expect_steady(units_of(directory, segments, "microphone"), 21'333'333, 1'100'000);
}

TEST(RecordPipeline, GoesOnWhenACameraIsBack) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: away
streams:
  pictures: {live: true, lag_frames: 250}
stages:
  camera:
    use: capture
    options: {uri: "test://ball?width=320&height=240&fps=25"}
    out: {video: pictures}
    restart_delay: 2s
  recorder: {use: record, in: pictures, options: {directory: recordings, segment: 2s, patience: 500ms}}
)");
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const pid_t camera = pipeline.wait_for_stage("camera");
  ASSERT_TRUE(pipeline.wait_for_log("wrote 2")) << pipeline.log();
  ASSERT_EQ(::kill(camera, SIGKILL), 0);
  ASSERT_NE(pipeline.wait_for_stage("camera", camera), 0) << pipeline.log();
  const std::size_t before = finished_in(directory).size();
  ASSERT_TRUE(wait_until([&] { return finished_in(directory).size() > before + 1; })) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  std::vector<record::Gap> gaps;
  for (const auto& segment : segments) gaps.insert(gaps.end(), segment.gaps.begin(), segment.gaps.end());
  ASSERT_EQ(gaps.size(), 1U) << pipeline.log();
  EXPECT_EQ(gaps[0].reason, "no frames came");
  EXPECT_EQ(gaps[0].frames, 0U);
  EXPECT_GE(gaps[0].end_ns - gaps[0].start_ns, 1'000'000'000);
  // The pictures stop where the gap begins, and begin where it ends.
  const auto units = units_of(directory, segments, "pictures");
  std::size_t pauses = 0;
  for (std::size_t i = 1; i < units.size(); ++i)
    pauses += units[i].media_ns - units[i - 1].media_ns > 500'000'000 ? 1 : 0;
  EXPECT_EQ(pauses, 1U);
}

}  // namespace
}  // namespace reel_test
