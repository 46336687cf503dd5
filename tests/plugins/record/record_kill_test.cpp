// The recorder is killed at any moment: what was finished stays as it is, what was open plays to within 1.5 s
// of the kill, and recording goes on by itself.
#include "recordings.hpp"

#include <running_pipeline.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::SegmentRecord;
using record::SegmentState;

constexpr std::int64_t kMostLost_ns = 1'500'000'000;
constexpr std::int64_t kJitter_ns = 50'000'000;  // of when a picture is said to have been taken: half a frame

constexpr const char* kPipeline = R"(
version: 1
name: kills
stages:
  source:
    use: synthetic.source
    options: {width: 320, height: 240, fps: 10, live: true}
    out: pictures
  recorder:
    use: record
    restart_limit: 1000
    restart_delay: 10ms
    restart_delay_max: 50ms
    in: pictures
    options: {directory: recordings, segment: 3s, bitrate: 50000, container: CONTAINER}
)";

std::map<std::string, std::uint64_t> sizes_of(const std::vector<SegmentRecord>& segments) {
  std::map<std::string, std::uint64_t> sizes;
  for (const SegmentRecord& segment : segments) sizes[segment.path] = segment.bytes;
  return sizes;
}

/// CLOCK_MONOTONIC of the end of what the segment holds.
std::int64_t end_of(const SegmentRecord& segment) {
  if (segment.clocks.empty()) return 0;
  return segment.clocks[0].monotonic_ns + (segment.end_ns - segment.clocks[0].media_ns);
}

std::size_t open_or_not(const std::string& directory) {
  try {
    return segments_in(directory).size();
  } catch (const reel::Error&) {
    return 0;  // not made yet
  }
}

void kill_again_and_again(const std::string& container, int kills) {
  const TempRuntimeDir runtime;
  std::string text = kPipeline;
  text.replace(text.find("CONTAINER"), 9, container);
  RunningPipeline pipeline(text);
  const std::string directory = pipeline.scratch().path() + "/recordings";
  std::mt19937 random(20261122);
  std::vector<std::int64_t> killed_ns;
  std::map<std::string, std::uint64_t> finished;
  std::size_t before = 0;
  pid_t recorder = pipeline.wait_for_stage("recorder");
  for (int i = 0; i < kills; ++i) {
    ASSERT_TRUE(wait_until([&] { return open_or_not(directory) > before || !pipeline.reel().running(); }));
    // It has something to lose by now; then any moment.
    std::this_thread::sleep_for(std::chrono::milliseconds(500 + random() % 3500));
    before = open_or_not(directory);
    for (const auto& [path, bytes] : sizes_of(finished_in(directory))) finished[path] = bytes;
    killed_ns.push_back(reel::monotonic_ns());
    ASSERT_EQ(::kill(recorder, SIGKILL), 0) << pipeline.log();
    recorder = pipeline.wait_for_stage("recorder", recorder);
    ASSERT_NE(recorder, 0) << pipeline.log();
  }
  ASSERT_TRUE(wait_until([&] { return open_or_not(directory) > before || !pipeline.reel().running(); }));
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();

  const std::vector<SegmentRecord> segments = finished_in(directory);
  for (const SegmentRecord& segment : segments_in(directory))
    EXPECT_NE(segment.state, SegmentState::open) << segment.path << "\n" << pipeline.log();
  expect_intact(directory, segments);
  const auto now = sizes_of(segments);
  for (const auto& [path, bytes] : finished)
    EXPECT_EQ(now.at(path), bytes) << "touched after it was finished";
  EXPECT_GE(std::count_if(segments.begin(), segments.end(),
                          [](const SegmentRecord& one) { return one.state == SegmentState::repaired; }),
            1)
      << "one that was begun right before may have had nothing in it, not all";
  for (const std::int64_t killed : killed_ns) {
    std::int64_t end_ns = 0;
    for (const SegmentRecord& segment : segments)
      if (end_of(segment) - (segment.end_ns - segment.start_ns) <= killed)
        end_ns = std::max(end_ns, end_of(segment));
    EXPECT_LE(killed - end_ns, kMostLost_ns) << pipeline.log();
  }
  for (const SegmentRecord& segment : segments) {
    ASSERT_EQ(segment.tracks.size(), 1U);
    EXPECT_EQ(segment.tracks[0].stream, "pictures");
    const std::vector<std::uint64_t> numbers = numbers_of(directory, {segment}, "pictures");
    ASSERT_FALSE(numbers.empty()) << segment.path;
    EXPECT_EQ(numbers.front(), segment.tracks[0].first_frame);
    EXPECT_GE(numbers.size(), segment.tracks[0].frames) << "every frame has its facts";
  }
  const std::vector<std::uint64_t> all = numbers_of(directory, segments, "pictures");
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GT(all[i], all[i - 1]) << "a number was given twice";
  for (std::size_t i = 1; i < segments.size(); ++i)
    EXPECT_GE(segments[i].start_ns, segments[i - 1].end_ns - kJitter_ns)
        << segments[i].path << " goes back in time";
}

TEST(RecordKill, OfMatroskaLosesAMomentAndGoesOn) {
  kill_again_and_again("matroska", 6);
}

TEST(RecordKill, OfMp4LosesAMomentAndGoesOn) {
  kill_again_and_again("mp4", 3);
}

}  // namespace
}  // namespace reel_test
