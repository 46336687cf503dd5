// A machine that lacks an encoder, or whose disk is slow; a recorder that is started again.
#include "fault_pipeline.hpp"
#include "recordings.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include <facts/frame_facts.hpp>

#include "catalog/segment_name.hpp"

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using record::SegmentRecord;
using ::testing::HasSubstr;

constexpr const char* kPlugins = "/usr/lib/x86_64-linux-gnu/gstreamer-1.0";

/// Numbers that the source itself gave the frames, in the order of the files.
std::vector<std::uint64_t> offsets_of(const std::string& directory,
                                      const std::vector<SegmentRecord>& segments) {
  std::vector<std::uint64_t> offsets;
  for (const SegmentRecord& segment : segments) {
    record::FactsReader reader(directory + "/" + record::frames_path_of(segment.path));
    while (const auto facts = reader.next()) offsets.push_back(facts->info.offset);
  }
  return offsets;
}

std::vector<std::uint64_t> from_zero(std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(FaultMachine, WithoutTheEncoderSaysWhichPackageHasItAtOnce) {
  REEL_NEEDS(fs::exists(kPlugins) ? "" : std::string("no ") + kPlugins);
  const TempRuntimeDir runtime;
  const ScratchDir machine;
  fs::create_directory(machine.file("plugins"));
  for (const char* plugin : {"coreelements", "app", "jpeg", "libav", "matroska", "videoconvertscale"}) {
    const std::string file = std::string("libgst") + plugin + ".so";
    fs::create_symlink(std::string(kPlugins) + "/" + file, machine.file("plugins/" + file));
  }
  RunningPipeline pipeline(R"(
version: 1
name: faults
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 30}, out: pictures}
  recorder:
    use: record
    in: pictures
    environment: {GST_PLUGIN_SYSTEM_PATH_1_0: )" +
                           machine.file("plugins") + ", GST_REGISTRY_1_0: " + machine.file("registry") + R"(}
    options: {directory: recordings}
)");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(), HasSubstr("h264 cannot be encoded: GStreamer has no element 'x264enc' that "
                                        "works; install the Debian package gstreamer1.0-plugins-ugly, or "
                                        "record with another codec"));
}

/// Files take a seventh of what comes, for a time: frames wait, and none is lost.
TEST(FaultMachine, WhoseDiskIsSlowForATimeLosesNothing) {
  const TempRuntimeDir runtime;
  const ClockAndDisk machine;
  RunningPipeline pipeline(R"(
version: 1
name: faults
stages:
  source: {use: synthetic.source, options: {width: 640, height: 480, fps: 30, live: true}, out: pictures}
  recorder:
    use: record
    in: pictures
    environment: )" + machine.environment() +
                           R"(
    options: {directory: recordings, segment: 1s, codec: raw}
)");
  ASSERT_TRUE(pipeline.wait_for_log("wrote 2")) << pipeline.log();
  machine.slow_disk(2'000'000);  // of fourteen million that come each second
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", pipeline.frames("recorder") + 120)) << pipeline.log();
  machine.slow_disk(0);
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr(" 0 frames were lost, at most "));
  const std::string at_most = "at most ";
  EXPECT_GT(std::atoi(pipeline.log().c_str() + pipeline.log().rfind(at_most) + at_most.size()), 30)
      << "they waited";
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  const auto numbers = numbers_of(directory, segments, "pictures");
  EXPECT_EQ(numbers, from_zero(numbers.size()));
  EXPECT_EQ(numbers.size(),
            static_cast<std::size_t>(pipeline.stage_summary("recorder")["inputs"][0]["frames"]));
}

TEST(FaultMachine, WhoseDiskStaysSlowSaysWhatIsMissingAndWhere) {
  const TempRuntimeDir runtime;
  const ClockAndDisk machine;
  machine.slow_disk(4'000'000);
  RunningPipeline pipeline(R"(
version: 1
name: faults
stages:
  source: {use: synthetic.source, options: {width: 640, height: 480, fps: 30, live: true}, out: pictures}
  recorder:
    use: record
    in: pictures
    environment: )" + machine.environment() +
                           R"(
    options: {directory: recordings, segment: 1s, codec: raw, spool_memory: 8MB, full_spool: lose}
)");
  ASSERT_TRUE(pipeline.wait_for_log("frames were lost in the last 10 s")) << pipeline.log();
  machine.slow_disk(0);
  ASSERT_TRUE(pipeline.wait_for_log(" frames lost")) << pipeline.log();
  const long taken = pipeline.frames("recorder");
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", taken + 60)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  const std::uint64_t lost = lost_frames(segments, "pictures");
  EXPECT_GT(lost, 0U);
  const auto numbers = numbers_of(directory, segments, "pictures");
  EXPECT_EQ(numbers.back() + 1, numbers.size() + lost) << "each that is missing is counted";
  EXPECT_THAT(pipeline.log(), HasSubstr("recording ended; " + std::to_string(lost) + " frames were lost"));
}

/// Of a file's pictures, which wait for their readers, a killed recorder loses what was in its encoder and
/// its spool, and no other.
TEST(FaultMachine, ThatKillsTheRecorderGoesOnWhereItsCursorStood) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: faults
stages:
  source: {use: synthetic.source, options: {width: 320, height: 240, fps: 50, frames: 400}, out: pictures}
  recorder:
    use: record
    in: pictures
    restart_delay: 10ms
    options: {directory: recordings, segment: 1s}
)");
  const pid_t before = pipeline.wait_for_stage("recorder");
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 120)) << pipeline.log();
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  const auto offsets = offsets_of(directory, segments);
  ASSERT_FALSE(offsets.empty());
  EXPECT_EQ(offsets.front(), 0U);
  EXPECT_EQ(offsets.back(), 399U);
  std::size_t places = 0;
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    ASSERT_GT(offsets[i], offsets[i - 1]) << "none is there twice";
    places += offsets[i] - offsets[i - 1] > 1 ? 1 : 0;
  }
  EXPECT_LE(places, 1U);
  std::uint64_t recorded = 0;
  for (const auto& segment : segments) recorded += segment.tracks[0].frames;
  EXPECT_EQ(recorded + lost_frames(segments_in(directory), "pictures"), 400U);
}

}  // namespace
}  // namespace reel_test
