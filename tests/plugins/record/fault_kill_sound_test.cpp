// kill -9 of a recorder of picture and sound: both play to within 1.5 s of it, in step.
#include "fault_pipeline.hpp"
#include "recordings.hpp"

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <reel/base/clock.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::SegmentRecord;
using record::SegmentState;

constexpr std::int64_t kMostLost_ns = 1'500'000'000;

void kill_with_sound(const std::string& container) {
  const TempRuntimeDir runtime;
  const ScratchDir signs;
  const std::string until = "until " + signs.file("end");
  RunningPipeline pipeline("version: 1\nname: kills\nstages:\n" +
                           camera_stage("pictures", "kills/recorder.in0", {"video 320 240 10", until}) +
                           camera_stage("sound", "kills/recorder.in1", {"audio 48000 1", until}) + R"(
  recorder:
    use: record
    restart_limit: 1000
    restart_delay: 10ms
    in: [pictures, sound]
    options: {directory: recordings, segment: 3s, container: )" +
                           container + "}\n");
  const std::string directory = pipeline.scratch().path() + "/recordings";
  std::vector<std::int64_t> killed_ns;
  pid_t recorder = pipeline.wait_for_stage("recorder");
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(pipeline.wait_for_frames("recorder", pipeline.frames("recorder") + 150)) << pipeline.log();
    killed_ns.push_back(reel::monotonic_ns());
    ASSERT_EQ(::kill(recorder, SIGKILL), 0);
    recorder = pipeline.wait_for_stage("recorder", recorder);
  }
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", pipeline.frames("recorder") + 150)) << pipeline.log();
  signs.write("end", "");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto segments = finished_in(directory);
  expect_intact(directory, segments);
  for (const std::int64_t killed : killed_ns) {
    for (const std::string stream : {"pictures", "sound"}) {
      std::int64_t end_ns = 0;  // CLOCK_MONOTONIC of the last of that stream before the kill
      for (const SegmentRecord& segment : segments) {
        const std::int64_t monotonic_ns = segment.clocks.at(0).monotonic_ns - segment.clocks[0].media_ns;
        for (const record::Track& track : segment.tracks)
          if (track.stream == stream && track.start_ns + monotonic_ns <= killed)
            end_ns = std::max(end_ns, track.end_ns + monotonic_ns);
      }
      EXPECT_LE(killed - end_ns, kMostLost_ns) << stream << "\n" << pipeline.log();
    }
  }
  for (const SegmentRecord& segment : segments) {
    if (segment.state != SegmentState::repaired || segment.tracks.size() != 2) continue;
    EXPECT_NEAR(static_cast<double>(segment.tracks[0].end_ns), static_cast<double>(segment.tracks[1].end_ns),
                1.5e9)
        << segment.path;
  }
  for (const std::string stream : {"pictures", "sound"}) {
    const auto units = units_of(directory, segments, stream);
    for (std::size_t i = 1; i < units.size(); ++i)
      EXPECT_GE(units[i].media_ns, units[i - 1].media_ns - 50'000'000) << stream << " goes back";
  }
}

TEST(FaultKill, OfMatroskaWithSoundLosesAMoment) {
  kill_with_sound("matroska");
}

TEST(FaultKill, OfMp4WithSoundLosesAMoment) {
  kill_with_sound("mp4");
}

}  // namespace
}  // namespace reel_test
