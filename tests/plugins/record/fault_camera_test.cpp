// Cameras that change, lie about their times, say nothing at all, or come and go: each frame is in the files,
// once, in order.
#include "fault_pipeline.hpp"
#include "recordings.hpp"

#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::SegmentRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kStep_ns = 40'000'000;
constexpr std::int64_t kMillisecond_ns = 1'000'000;

std::string pipeline_of(const std::string& cameras, const std::string& inputs, const std::string& options) {
  return "version: 1\nname: faults\nstages:\n" + cameras + "  recorder:\n    use: record\n    in: [" +
         inputs + "]\n    options: {directory: recordings, " + options + "}\n";
}

std::string directory_of(const RunningPipeline& pipeline) {
  return pipeline.scratch().path() + "/recordings";
}

std::vector<std::uint64_t> first_numbers(std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::size_t gaps_in(const std::vector<SegmentRecord>& segments) {
  std::size_t gaps = 0;
  for (const SegmentRecord& segment : segments) gaps += segment.gaps.size();
  return gaps;
}

TEST(FaultCamera, OfAnotherSizeOrRateBeginsANewFile) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      pipeline_of(camera_stage("pictures", "faults/recorder",
                               {"video 320 240 25", "frames 40", "video 640 360 25", "frames 40",
                                "video 640 360 10", "frames 20", "video 320 240 25", "frames 40"}),
                  "pictures", "segment: 20s"));
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = directory_of(pipeline);
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  ASSERT_EQ(segments.size(), 4U) << pipeline.log();
  std::vector<std::uint64_t> frames;
  for (const SegmentRecord& segment : segments) frames.push_back(segment.tracks.at(0).frames);
  EXPECT_THAT(frames, ElementsAre(40, 40, 20, 40));
  EXPECT_THAT(segments[1].tracks[0].caps, HasSubstr("width=(int)640"));
  EXPECT_EQ(numbers_of(directory, segments, "pictures"), first_numbers(140));
  expect_steady(units_of(directory, {segments[0], segments[1]}, "pictures"), kStep_ns,
                kStep_ns);  // at most one was late
  expect_steady(units_of(directory, {segments[2]}, "pictures"), 100 * kMillisecond_ns, 50 * kMillisecond_ns);
  EXPECT_EQ(gaps_in(segments), 0U);
}

class FaultTimes : public ::testing::TestWithParam<const char*> {};

TEST_P(FaultTimes, LoseNoFrameAndNeverGoBack) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      pipeline_of(camera_stage("pictures", "faults/recorder",
                               {"video 320 240 25", std::string("times ") + GetParam(), "frames 100"}),
                  "pictures", "segment: 1s"));
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = directory_of(pipeline);
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  EXPECT_GE(segments.size(), 3U) << pipeline.log();
  EXPECT_EQ(numbers_of(directory, segments, "pictures"), first_numbers(100));
  const auto units = units_of(directory, segments, "pictures");
  ASSERT_EQ(units.size(), 100U);
  for (std::size_t i = 1; i < units.size(); ++i)
    EXPECT_GE(units[i].media_ns, units[i - 1].media_ns) << "unit " << i;
  // As long as it took, whatever it said: 4 s, later where the machine was busy.
  EXPECT_GE(units.back().media_ns - units.front().media_ns, 98 * kStep_ns);
  EXPECT_EQ(gaps_in(segments), 0U);
}

INSTANTIATE_TEST_SUITE_P(, FaultTimes, ::testing::Values("back", "repeat", "none"),
                         [](const auto& made) { return std::string(made.param); });

/// Its pictures have the times of their decoding, some twice, and jumps between them.
TEST(FaultCamera, OfTreesClipIsRecordedWhole) {
  const std::string clip = "/usr/share/doc/opencv-doc/examples/data/tree.avi";
  REEL_NEEDS(std::filesystem::exists(clip) ? "" : "no " + clip + " (package opencv-doc)");
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_of("  camera: {use: capture, options: {uri: " + in_quotes(clip) +
                                           ", realtime: false}, out: {video: pictures}}\n",
                                       "pictures", "segment: 2s"));
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = directory_of(pipeline);
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  const std::size_t published = pipeline.stage_summary("camera")["outputs"][0]["frames"];
  EXPECT_GT(published, 60U);
  EXPECT_EQ(numbers_of(directory, segments, "pictures"), first_numbers(published));
  const auto units = units_of(directory, segments, "pictures");
  EXPECT_EQ(units.size(), published);
  for (std::size_t i = 1; i < units.size(); ++i)
    EXPECT_GE(units[i].media_ns, units[i - 1].media_ns) << "unit " << i;
}

/// One stream is there, of the other nothing comes until much later; then files hold both.
void record_one_then_both(const std::string& present, const std::string& absent,
                          const std::string& present_format, const std::string& absent_format) {
  const TempRuntimeDir runtime;
  const ScratchDir signs;
  RunningPipeline pipeline(pipeline_of(
      camera_stage(present, "faults/recorder.in0", {present_format, "until " + signs.file("end")}) +
          camera_stage(absent, "faults/recorder.in1",
                       {"wait " + signs.file("come"), absent_format, "until " + signs.file("end")}),
      present + ", " + absent, "segment: 1s, patience: 300ms"));
  const std::string directory = directory_of(pipeline);
  ASSERT_TRUE(pipeline.wait_for_log("wrote ")) << pipeline.log();
  ASSERT_TRUE(wait_until([&] { return finished_in(directory).size() >= 2; })) << pipeline.log();
  const std::size_t alone = finished_in(directory).size();
  signs.write("come", "");
  const auto both = [&] {
    const auto segments = finished_in(directory);
    return std::count_if(segments.begin(), segments.end(),
                         [](const SegmentRecord& segment) { return segment.tracks.size() == 2; });
  };
  ASSERT_TRUE(wait_until([&] { return both() >= 2; })) << pipeline.log();
  signs.write("end", "");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  for (std::size_t i = 0; i < alone; ++i) {
    ASSERT_EQ(segments[i].tracks.size(), 1U) << segments[i].path;
    EXPECT_EQ(segments[i].tracks[0].stream, present);
  }
  for (const std::string& stream : {present, absent}) {
    const auto numbers = numbers_of(directory, segments, stream);
    EXPECT_EQ(numbers, first_numbers(numbers.size())) << stream;
    EXPECT_EQ(lost_frames(segments, stream), 0U);
  }
}

TEST(FaultCamera, WithoutPicturesIsHeardAndThenSeen) {
  record_one_then_both("sound", "pictures", "audio 48000 2", "video 320 240 25");
}

TEST(FaultCamera, WithoutSoundIsSeenAndThenHeard) {
  record_one_then_both("pictures", "sound", "video 320 240 25", "audio 48000 2");
}

struct Use {
  std::size_t descriptors, threads, memory_bytes;
};
Use use_of(pid_t pid) {
  return {open_descriptors(pid), thread_count(pid), resident_bytes(pid)};
}

TEST(FaultCamera, ThatComesAThousandTimesLeavesNothingBehindInTheRecorder) {
  const TempRuntimeDir runtime;
  const ScratchDir signs;
  RunningPipeline pipeline(pipeline_of(
      camera_stage("pictures", "faults/recorder",
                   {"video 64 48 200", "frames 10", "connect 300", "tell settled", "wait " + signs.file("go"),
                    "connect 700", "tell done", "wait " + signs.file("end")}),
      "pictures", "segment: 1s"));
  ASSERT_EQ(pipeline.reel().wait_for_line("settled"), "settled") << pipeline.log();
  const pid_t recorder = pipeline.wait_for_stage("recorder");
  const Use before = use_of(recorder);
  signs.write("go", "");
  ASSERT_EQ(pipeline.reel().wait_for_line("done", 3 * kWatchdog), "done") << pipeline.log();
  const Use after = use_of(recorder);
  printf("descriptors %zu to %zu, threads %zu to %zu, memory %zu to %zu kB\n", before.descriptors,
         after.descriptors, before.threads, after.threads, before.memory_bytes / 1024,
         after.memory_bytes / 1024);
  EXPECT_LE(after.descriptors, before.descriptors + 16);  // a file more that is being finished
  EXPECT_LE(after.threads, before.threads + 8);
  EXPECT_LE(after.memory_bytes, before.memory_bytes + (std::size_t{24} << 20));
  EXPECT_EQ(pipeline.stage("recorder"), recorder) << pipeline.log();
  signs.write("end", "");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = directory_of(pipeline);
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  EXPECT_EQ(numbers_of(directory, segments, "pictures"), first_numbers(1010));
}

}  // namespace
}  // namespace reel_test
