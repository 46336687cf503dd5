// The recorder is killed at any moment: what was finished stays as it is, what was open plays to within 1.5 s
// of the kill, and recording goes on by itself.
#include "recordings.hpp"

#include <running_pipeline.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <system_error>
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

// Between two key frames.
const std::map<std::string, std::int64_t> kKeyFrames_ns{{"often", 1'000'000'000}, {"seldom", 8'000'000'000}};

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

constexpr const char* kTwoCameras = R"(
version: 1
name: kills
stages:
  often:
    use: gst
    options: {launch: "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1 ! x264enc tune=zerolatency key-int-max=25 ! video/x-h264,stream-format=avc,alignment=au ! reelsink"}
    out: often
  seldom:
    use: gst
    options: {launch: "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1 ! x264enc tune=zerolatency key-int-max=200 ! video/x-h264,stream-format=avc,alignment=au ! reelsink"}
    out: seldom
  recorder:
    use: record
    restart_limit: 1000
    restart_delay: 10ms
    restart_delay_max: 50ms
    in: [often, seldom]
    options: {directory: recordings, segment: 2s, container: CONTAINER}
)";

std::string with_container(std::string pipeline, const std::string& container) {
  return pipeline.replace(pipeline.find("CONTAINER"), 9, container);
}

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

/// The same of one of its streams; 0: it has nothing of it.
std::int64_t end_of(const SegmentRecord& segment, const std::string& stream) {
  for (const record::Track& track : segment.tracks)
    if (track.stream == stream) return end_of(segment) - (segment.end_ns - track.end_ns);
  return 0;
}

/// Begins of files that wait for a key frame.
std::set<std::string> leads_in(const std::string& directory) {
  std::set<std::string> leads;
  std::error_code error;  // it is not made yet, or changes right now
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().string().find(".lead-") != std::string::npos) leads.insert(entry->path().string());
  return leads;
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
  RunningPipeline pipeline(with_container(kPipeline, container));
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
  const std::vector<std::uint64_t> numbers = numbers_of(directory, segments, "pictures");
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end(), std::less_equal<>())) << "none comes twice";
  std::uint64_t recorded = 0;
  for (const SegmentRecord& segment : segments) recorded += segment.tracks[0].frames;
  const std::uint64_t published = pipeline.stage_summary("source")["outputs"][0]["frames"];
  EXPECT_EQ(recorded + lost_frames(segments_in(directory), "pictures"), published)
      << "what a kill cost is in the gaps";
  EXPECT_LT(recorded, published) << "or else nothing was lost that could be counted";
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

/// In the seconds in which one is in the new file and the other still in the one before.
void kill_while_one_waits(const std::string& container, int kills) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(with_container(kTwoCameras, container));
  const std::string directory = pipeline.scratch().path() + "/recordings";
  std::mt19937 random(20261122);
  std::vector<std::int64_t> killed_ns;
  std::set<std::string> before;
  pid_t recorder = pipeline.wait_for_stage("recorder");
  for (int i = 0; i < kills; ++i) {
    ASSERT_TRUE(wait_until([&] {
      const std::set<std::string> now = leads_in(directory);
      return !std::includes(before.begin(), before.end(), now.begin(), now.end()) ||
             !pipeline.reel().running();
    }));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 3000));
    killed_ns.push_back(reel::monotonic_ns());
    ASSERT_EQ(::kill(recorder, SIGKILL), 0) << pipeline.log();
    before = leads_in(directory);
    recorder = pipeline.wait_for_stage("recorder", recorder);
    ASSERT_NE(recorder, 0) << pipeline.log();
  }
  const std::size_t files = open_or_not(directory);
  ASSERT_TRUE(wait_until([&] { return open_or_not(directory) > files || !pipeline.reel().running(); }));
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();

  const std::vector<SegmentRecord> segments = finished_in(directory);
  expect_intact(directory, segments);
  EXPECT_TRUE(leads_in(directory).empty());
  for (std::size_t i = 0; i < killed_ns.size(); ++i)
    for (const char* stream : {"often", "seldom"}) {
      std::int64_t end_ns = 0;
      for (const SegmentRecord& segment : segments)
        if (end_of(segment) - (segment.end_ns - segment.start_ns) <= killed_ns[i])
          end_ns = std::max(end_ns, end_of(segment, stream));
      // Before its first key frame since the kill before there is nothing of it that could be recorded.
      const bool waited = i > 0 && end_ns <= killed_ns[i - 1] + kJitter_ns;
      EXPECT_LE(killed_ns[i] - end_ns, kMostLost_ns + (waited ? kKeyFrames_ns.at(stream) : 0))
          << stream << ", kill " << i << "\n"
          << pipeline.log();
    }
  for (const char* stream : {"often", "seldom"}) {
    const std::vector<std::uint64_t> numbers = numbers_of(directory, segments, stream);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end(), std::less_equal<>())) << stream;
    std::uint64_t recorded = 0;
    for (const SegmentRecord& segment : segments)
      for (const record::Track& track : segment.tracks)
        if (track.stream == stream) recorded += track.frames;
    const std::uint64_t published = pipeline.stage_summary(stream)["outputs"][0]["frames"];
    EXPECT_EQ(recorded + lost_frames(segments_in(directory), stream), published) << stream << "\n"
                                                                                 << pipeline.log();
  }
}

TEST(RecordKill, OfTwoCamerasWhileOneWaitsForAKeyFrame) {
  kill_while_one_waits("matroska", 4);
}

TEST(RecordKill, OfTwoCamerasInMp4WhileOneWaitsForAKeyFrame) {
  kill_while_one_waits("mp4", 3);
}

}  // namespace
}  // namespace reel_test
