// Directories that are not there, not writable, not mounted any more, in use or damaged.
#include "own_mounts.hpp"
#include "recordings.hpp"

#include <filesystem>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>
#include <reel_test/container.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>
#include <running_pipeline.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using record::SegmentRecord;
using record::SegmentState;
using ::testing::HasSubstr;
using ::testing::Not;

/// `stream` is the test's own where two pipelines run.
std::string pipeline_into(const std::string& directory, const std::string& options = {},
                          const std::string& stream = "pictures") {
  return "version: 1\nname: " + stream + R"(
stages:
  source: {use: synthetic.source, options: {width: 320, height: 240, fps: 30, live: true}, out: )" +
         stream + R"(}
  recorder:
    use: record
    in: )" +
         stream + R"(
    restart_delay: 10ms
    restart_limit: 2
    options: {directory: )" +
         directory + ", segment: 1s, codec: mjpeg" + options + "}\n";
}

std::vector<std::uint64_t> from_zero(std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(FaultDirectory, ThatIsNotThereIsNamedWithWhatToDo) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_into("missing/recordings"));
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(), HasSubstr(pipeline.scratch().path() + "/missing/recordings: there is neither "
                                                                    "this directory nor the one above it"));
  EXPECT_FALSE(fs::exists(pipeline.scratch().file("missing"))) << "a disk may be missing there";
}

TEST(FaultDirectory, ThatIsAFileIsNamed) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  RunningPipeline pipeline(pipeline_into(scratch.write("recordings", "mine")));
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(), HasSubstr(scratch.file("recordings") + ": this is no directory"));
  EXPECT_EQ(scratch.read("recordings"), "mine");
}

TEST(FaultDirectory, ThatMayOnlyBeReadIsNamedWithWhatToDo) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OwnMounts pipeline(
      "mkdir disk && mount -t tmpfs none disk && mkdir disk/recordings && "
      "mount -o remount,ro disk",
      pipeline_into("disk/recordings"));
  EXPECT_EQ(pipeline.wait(), 1);
  EXPECT_THAT(pipeline.log(), HasSubstr("disk/recordings: recording into this directory: Read-only file "
                                        "system; give this user the right to write there, or"));
}

TEST(FaultDirectory, WithoutItsMountIsNotWrittenTo) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  fs::create_directory(scratch.file("disk"));
  RunningPipeline pipeline(
      pipeline_into(scratch.file("disk/recordings"), ", require_mount: " + scratch.file("disk")));
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(),
              HasSubstr("nothing is mounted at " + scratch.file("disk") + ", which require_mount asks for"));
  EXPECT_TRUE(fs::is_empty(scratch.file("disk")));
}

TEST(FaultDirectory, OfOneRecorderRefusesASecondOfItsNameAndTakesAnother) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string directory = scratch.file("recordings");
  RunningPipeline first(pipeline_into(directory, ", name: door", "one"));
  ASSERT_TRUE(first.wait_for_log("wrote 2")) << first.log();
  RunningPipeline second(pipeline_into(directory, ", name: door", "two"));
  EXPECT_EQ(second.wait().code, 1);
  EXPECT_THAT(second.log(), HasSubstr(directory + ": the recording 'door' is being written by"));
  EXPECT_THAT(second.log(), HasSubstr("give this recorder another name or directory, or stop that one"));
  RunningPipeline third(pipeline_into(directory, ", name: hall", "three"));
  ASSERT_TRUE(third.wait_for_log("wrote 2")) << third.log();
  for (RunningPipeline* each : {&first, &third}) {
    each->reel().signal(SIGINT);
    EXPECT_TRUE(each->wait().ok()) << each->log();
  }
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  for (const SegmentRecord& segment : segments)
    EXPECT_EQ(segment.tracks.at(0).stream, segment.recording == "door" ? "one" : "three");
}

TEST(FaultDirectory, WhoseIndexIsDeletedOrDamagedGoesOn) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(pipeline_into("recordings"));
  const std::string directory = pipeline.scratch().path() + "/recordings";
  const auto writes_more = [&] {
    const auto written = [&] {
      std::size_t files = 0;
      for (const auto& entry : fs::recursive_directory_iterator(directory))
        files += entry.path().extension() == ".mkv" ? 1 : 0;
      return files;
    };
    const std::size_t before = fs::exists(directory) ? written() : 0;
    return wait_until([&] { return fs::exists(directory) && written() > before + 1; });
  };
  ASSERT_TRUE(writes_more()) << pipeline.log();
  for (const char* name : {"index.sqlite", "index.sqlite-wal", "index.sqlite-shm"})
    fs::remove(directory + "/" + name);
  ASSERT_TRUE(writes_more()) << pipeline.log();
  std::ofstream(directory + "/index.sqlite", std::ios::trunc) << std::string(5000, 'x');
  ASSERT_TRUE(writes_more()) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const ReelRun listed = run_reel({"recordings", "ls", directory, "--json"});
  EXPECT_EQ(listed.status, 0) << listed.errors;
  const auto segments = finished_in(directory);
  EXPECT_GE(segments.size(), 6U);
  EXPECT_EQ(listed.json().size(), segments.size());
  expect_intact(directory, segments);
  const auto numbers = numbers_of(directory, segments, "pictures");
  EXPECT_EQ(numbers, from_zero(numbers.size()));
}

TEST(FaultDirectory, WithEmptyAndCorruptSegmentsIsRecordedInto) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string garbage(200'000, 'x');
  const std::string day = "recordings/2026-11-20/recorder_20261120T1010";
  scratch.write(day + "10.000Z.mkv", "");
  scratch.write(day + "11.000Z.mkv", garbage);
  scratch.write(day + "11.000Z.json", "{\"version\": 1, \"path\"");
  scratch.write(day + "11.000Z.frames", "]");
  scratch.write(day + "12.000Z.open.mkv", "");
  scratch.write(day + "13.000Z.open.mkv", garbage);
  scratch.write(day + "13.000Z.json", garbage);
  scratch.write(day + "13.000Z.frames", garbage);
  RunningPipeline pipeline(pipeline_into(scratch.file("recordings")));
  const std::string directory = scratch.file("recordings");
  ASSERT_TRUE(pipeline.wait_for_log(": 1s, ")) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("cannot be read, and is kept as it is: "));
  EXPECT_THAT(pipeline.log(), HasSubstr("it was left open with nothing in it"));
  std::vector<SegmentRecord> ours;
  for (const SegmentRecord& segment : segments_in(directory)) {
    if (!segment.path.starts_with("2026-11-20/")) ours.push_back(segment);
    if (segment.path.ends_with("13.000Z.mkv")) {
      EXPECT_EQ(segment.state, SegmentState::broken);
    }
  }
  EXPECT_GE(ours.size(), 1U);
  expect_intact(directory, ours);
  EXPECT_EQ(scratch.read(day + "10.000Z.mkv"), "") << "what was finished is not touched";
  EXPECT_EQ(scratch.read(day + "11.000Z.mkv"), garbage);
  EXPECT_EQ(scratch.read(day + "13.000Z.mkv"), garbage);
  EXPECT_FALSE(fs::exists(scratch.file(day + "12.000Z.open.mkv")));
}

}  // namespace
}  // namespace reel_test
