// The wall clock is stepped while a recorder runs: recordings go on in one piece, nothing is deleted, and
// names stay apart.
#include "fault_pipeline.hpp"
#include "recordings.hpp"

#include <algorithm>
#include <csignal>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <reel/base/clock.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::SegmentRecord;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kYear = 365 * 24 * kHour;

/// A camera of 25 pictures a second, recorded by a stage whose clock is the test's.
class SteppedClock {
 public:
  explicit SteppedClock(const std::string& options, const std::string& environment = {},
                        std::int64_t seconds_ahead = 0)
      : set_((machine_.step_clock(seconds_ahead), true)),
        pipeline_(
            "version: 1\nname: faults\nstages:\n" +
            camera_stage("pictures", "faults/recorder", {"video 320 240 25", "until " + signs_.file("end")}) +
            "  recorder:\n    use: record\n    restart_delay: 10ms\n    in: pictures\n    environment: " +
            machine_.environment(environment) + "\n    options: {directory: recordings, segment: 1s, " +
            options + "}\n") {}

  void step(std::int64_t seconds) const { machine_.step_clock(seconds); }
  [[nodiscard]] std::string directory() const { return pipeline_.scratch().path() + "/recordings"; }
  [[nodiscard]] RunningPipeline& pipeline() noexcept { return pipeline_; }
  [[nodiscard]] bool writes_more(std::size_t files) {
    const std::size_t before = written();
    return wait_until([&] { return written() >= before + files; });
  }
  void end() {
    signs_.write("end", "");
    ASSERT_TRUE(pipeline_.wait().ok()) << pipeline_.log();
  }

 private:
  [[nodiscard]] std::size_t written() const {
    const std::string log = pipeline_.log();
    std::size_t count = 0;
    for (std::size_t at = log.find("wrote 2"); at != std::string::npos; at = log.find("wrote 2", at + 1))
      ++count;
    return count;
  }

  ClockAndDisk machine_;
  ScratchDir signs_;
  bool set_;
  RunningPipeline pipeline_;
};

void expect_no_frame_missing(const std::string& directory, const std::vector<SegmentRecord>& segments) {
  const auto numbers = numbers_of(directory, segments, "pictures");
  std::vector<std::uint64_t> expected(numbers.size());
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(numbers, expected);
}

std::vector<record::Gap> gaps_of(const std::vector<SegmentRecord>& segments) {
  std::vector<record::Gap> gaps;
  for (const SegmentRecord& segment : segments)
    gaps.insert(gaps.end(), segment.gaps.begin(), segment.gaps.end());
  return gaps;
}

TEST(FaultClock, ThatIsSteppedForthAndBackLosesAndDeletesNothing) {
  const TempRuntimeDir runtime;
  SteppedClock clock("max_age: 12h");
  ASSERT_TRUE(clock.writes_more(2)) << clock.pipeline().log();
  for (const std::int64_t seconds : {kYear, -3 * kHour, std::int64_t{0}}) {
    clock.step(seconds);
    ASSERT_TRUE(clock.writes_more(3)) << clock.pipeline().log();
  }
  clock.end();
  EXPECT_THAT(clock.pipeline().log(), Not(HasSubstr("removed ")));
  const auto segments = finished_in(clock.directory());
  ASSERT_GE(segments.size(), 11U);
  expect_intact(clock.directory(), segments);
  expect_no_frame_missing(clock.directory(), segments);
  EXPECT_TRUE(gaps_of(segments).empty());
  std::set<std::int64_t> hours;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    hours.insert((segments[i].start_utc_ns - reel::realtime_ns()) / (kHour * kSecond_ns));
    if (i == 0) continue;
    EXPECT_NEAR(static_cast<double>(segments[i].start_ns - segments[i - 1].end_ns), 0, kSecond_ns)
        << segments[i].path << ": a camera that is late by a frame is none";
  }
  EXPECT_EQ(*hours.begin(), -3) << "what the clock said is in the names";
  EXPECT_GT(*hours.rbegin(), 8000);
}

TEST(FaultClock, SteppedByAnHourIsNoHourWithoutARecorder) {
  for (const std::int64_t seconds : {kHour, -kHour}) {
    const TempRuntimeDir runtime;
    SteppedClock clock("codec: mjpeg");
    ASSERT_TRUE(clock.writes_more(2)) << clock.pipeline().log();
    const pid_t before = clock.pipeline().wait_for_stage("recorder");
    clock.step(seconds);
    ASSERT_EQ(::kill(before, SIGKILL), 0);
    ASSERT_NE(clock.pipeline().wait_for_stage("recorder", before), 0);
    ASSERT_TRUE(clock.writes_more(2)) << clock.pipeline().log();
    clock.end();
    const auto segments = finished_in(clock.directory());
    expect_intact(clock.directory(), segments);
    const auto gaps = gaps_of(segments);
    ASSERT_EQ(gaps.size(), 1U) << clock.pipeline().log();
    EXPECT_EQ(gaps[0].reason, "the recorder was not running");
    EXPECT_LT(gaps[0].end_ns - gaps[0].start_ns, kHour / 2 * kSecond_ns);
  }
}

/// In Central Europe 2026-10-25 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
TEST(FaultClock, OfTheHourThatComesTwiceKeepsScheduleAndNames) {
  constexpr std::int64_t kOne = 1'792'890'000;  // 2026-10-25T01:00:00Z
  const TempRuntimeDir runtime;
  SteppedClock clock("schedule: \"sun 02:30-03:30\"", ", TZ: \"CET-1CEST,M3.5.0,M10.5.0/3\"",
                     kOne - 6 - reel::realtime_ns() / kSecond_ns);
  ASSERT_TRUE(clock.pipeline().wait_for_log("nothing is recorded from now on")) << clock.pipeline().log();
  ASSERT_TRUE(clock.pipeline().wait_for_log("wrote 2026-10-25/recorder_20261025T0059"))
      << clock.pipeline().log();
  // The half hour until the wall shows 02:30 once more.
  clock.step(kOne + kHour / 2 - reel::realtime_ns() / kSecond_ns);
  ASSERT_TRUE(clock.pipeline().wait_for_log("recording goes on")) << clock.pipeline().log();
  ASSERT_TRUE(clock.pipeline().wait_for_log("wrote 2026-10-25/recorder_20261025T0130"))
      << clock.pipeline().log();
  clock.end();
  const auto segments = finished_in(clock.directory());
  expect_intact(clock.directory(), segments);
  for (std::size_t i = 1; i < segments.size(); ++i)
    EXPECT_LT(segments[i - 1].path, segments[i].path) << "names sort as they were recorded";
  EXPECT_EQ(lost_frames(segments, "pictures"), 0U) << "what the schedule leaves out is not lost";
}

}  // namespace
}  // namespace reel_test
