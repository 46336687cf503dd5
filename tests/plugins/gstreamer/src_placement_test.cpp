// Where live frames lie on the pipeline's time line: the rules, without any pipeline.
#include <gtest/gtest.h>

#include "clock_pair.hpp"
#include "key_frame_gate.hpp"
#include "latency_meter.hpp"
#include "live_placement.hpp"
#include "pipelines.hpp"
#include "time_map.hpp"

namespace {

using reel::FrameInfo;
using reel::kNoTime;
using reel::Policy;
using reel::Segment;
using reel::gst::ClockPair;
using reel::gst::Dependence;
using reel::gst::KeyFrameGate;
using reel::gst::LatencyMeter;
using reel::gst::LivePlacement;
using reel::gst::PipelineShift;
using reel::gst::running_time;
using reel::gst::TimeMap;
using Verdict = LivePlacement::Verdict;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kZero = 100 * kS;  // of the receiving pipeline, on CLOCK_MONOTONIC

// A sender whose running time 0 is this moment of CLOCK_MONOTONIC.
Segment sent_since(std::int64_t monotonic_ns) {
  Segment segment;
  segment.monotonic_offset_ns = monotonic_ns;
  return segment;
}

FrameInfo frame_at(std::int64_t pts_ns, std::int64_t duration_ns = 10 * kMs) {
  FrameInfo info;
  info.pts_ns = pts_ns;
  info.duration_ns = duration_ns;
  return info;
}

class Placement : public ::testing::Test {
 protected:
  Placement() {
    gstreamer_test::set_up();
    pipeline_ = gst_pipeline_new(nullptr);
  }
  ~Placement() override { gst_object_unref(pipeline_); }
  LivePlacement of(Policy policy) { return LivePlacement(policy, PipelineShift(pipeline_)); }
  // Published when it is presented.
  static LivePlacement::Placed place(LivePlacement& placement, std::int64_t presented_ns,
                                     Dependence dependence = Dependence::none) {
    const Segment segment = sent_since(0);
    return placement.place(frame_at(presented_ns), &segment, {presented_ns, kZero}, dependence);
  }
  GstElement* pipeline_ = nullptr;
};

TEST(RunningTime, IsThatOfTheSegmentAtAnyRate) {
  Segment segment{.rate = 1.0, .start_ns = 5 * kS, .stop_ns = 9 * kS, .time_ns = 5 * kS, .base_ns = 2 * kS};
  EXPECT_EQ(running_time(segment, 5 * kS + 7).ns, 2 * kS + 7);
  EXPECT_EQ(running_time(segment, 4 * kS).ns, 1 * kS) << "not clipped";
  segment.rate = 2.0;
  EXPECT_EQ(running_time(segment, 7 * kS).ns, 3 * kS);
  segment.rate = -1.0;
  EXPECT_EQ(running_time(segment, 8 * kS).ns, 3 * kS);
  EXPECT_FALSE(running_time(segment, kNoTime).known);
}

TEST(TimeMap, BindsStreamsWithoutAClockByTheirFirstFrame) {
  TimeMap map;
  EXPECT_EQ(map.map({7 * kS, kNoTime, 103 * kS, false}, nullptr, kZero).pts.ns, 3 * kS);
  EXPECT_EQ(map.map({8 * kS, kNoTime, 109 * kS, false}, nullptr, kZero).pts.ns, 4 * kS) << "by its pts";
  EXPECT_EQ(map.map({9 * kS, kNoTime, 110 * kS, true}, nullptr, kZero).pts.ns, 10 * kS) << "after a gap anew";
  EXPECT_EQ(map.map({kNoTime, kNoTime, 111 * kS, false}, nullptr, kZero).pts.ns, 11 * kS);
}

TEST_F(Placement, KeepsTheMomentOfPresentation) {
  LivePlacement placement = of(Policy::queue);
  const auto placed = place(placement, kZero + 3 * kS + 1);
  EXPECT_EQ(placed.verdict, Verdict::deliver);
  EXPECT_EQ(placed.info.pts_ns, 3 * kS + 1);
  EXPECT_EQ(placed.info.duration_ns, 10 * kMs);
}

TEST_F(Placement, OfALosslessReaderMovesFramesFromBeforeZeroAllAlike) {
  LivePlacement video = of(Policy::lossless);
  LivePlacement audio = of(Policy::lossless);
  const auto first = place(video, kZero - 5 * kS);
  const auto sound = place(audio, kZero - 5 * kS - 20 * kMs);
  const auto second = place(video, kZero - 5 * kS + 10 * kMs);
  for (const auto& placed : {first, sound, second}) EXPECT_EQ(placed.verdict, Verdict::deliver);
  EXPECT_GE(first.info.pts_ns, 0);
  EXPECT_EQ(second.info.pts_ns - first.info.pts_ns, 10 * kMs);
  EXPECT_EQ(first.info.pts_ns - sound.info.pts_ns, 20 * kMs) << "sound and picture stay in sync";
}

TEST_F(Placement, ShiftIsForgottenWhenAllHaveLeftThePipeline) {
  {
    LivePlacement placement = of(Policy::lossless);
    (void)place(placement, kZero - 5 * kS);
  }
  LivePlacement placement = of(Policy::queue);
  EXPECT_EQ(place(placement, kZero + kS).info.pts_ns, kS);
}

TEST_F(Placement, LeavesOutWhatNobodyWatched) {
  LivePlacement placement = of(Policy::queue);
  EXPECT_EQ(place(placement, kZero - kS).verdict, Verdict::stale) << "published before the pipeline's zero";
  EXPECT_EQ(place(placement, kZero + 5).info.pts_ns, 5) << "no shift came of it";
  EXPECT_EQ(placement.at_zero(frame_at(kZero - kS)).pts_ns, 0);
}

TEST_F(Placement, AFreshFrameALittleBeforeZeroIsLeftOutOneOfALaggingSenderShifts) {
  LivePlacement placement = of(Policy::queue);
  const Segment segment = sent_since(0);
  EXPECT_EQ(
      placement.place(frame_at(kZero - 50 * kMs), &segment, {kZero + 1, kZero}, Dependence::none).verdict,
      Verdict::past);
  const auto lagging =
      placement.place(frame_at(kZero - 40 * kS), &segment, {kZero + 2, kZero}, Dependence::none);
  EXPECT_EQ(lagging.verdict, Verdict::deliver);
  EXPECT_GE(lagging.info.pts_ns, 0);
}

TEST_F(Placement, PutsEncodedFramesFromBeforeZeroBeforeTheSegment) {
  LivePlacement placement = of(Policy::queue);
  const auto key = place(placement, kZero - kS, Dependence::on_others);
  ASSERT_EQ(key.verdict, Verdict::deliver);
  EXPECT_TRUE(key.new_segment);
  EXPECT_EQ(key.info.pts_ns, placement.segment_start_ns() - kS) << "decoded, not shown";
}

TEST_F(Placement, NeverGoesBackFromOneStreamToTheNext) {
  LivePlacement placement = of(Policy::queue);
  EXPECT_EQ(place(placement, kZero + kS).info.pts_ns, kS);
  placement.join();
  EXPECT_EQ(place(placement, kZero + kS - 20 * kMs).verdict, Verdict::past) << "a small overlap is left out";
  EXPECT_EQ(place(placement, kZero + kS + 5 * kMs).info.pts_ns, kS + 5 * kMs) << "without a shift";
  placement.join();
  const auto far = place(placement, kZero + 1);  // published long after its time would be another matter
  EXPECT_EQ(far.verdict, Verdict::deliver);
  EXPECT_GE(far.info.pts_ns, kS + 5 * kMs) << "a large one shifts";
}

TEST_F(Placement, OfALosslessReaderLeavesNothingOutAtAJoint) {
  LivePlacement placement = of(Policy::lossless);
  EXPECT_EQ(place(placement, kZero + kS).info.pts_ns, kS);
  placement.join();
  const auto next = place(placement, kZero + kS - 20 * kMs);
  EXPECT_EQ(next.verdict, Verdict::deliver);
  EXPECT_EQ(next.info.pts_ns, kS + 10 * kMs) << "where the last one ended";
}

TEST_F(Placement, HoldsEncodedFramesOfASmallOverlapAtTheLastTime) {
  LivePlacement placement = of(Policy::queue);
  EXPECT_EQ(place(placement, kZero + kS, Dependence::on_others).info.pts_ns, kS);
  placement.join();
  EXPECT_EQ(place(placement, kZero + kS - 20 * kMs, Dependence::on_others).info.pts_ns, kS);
  EXPECT_EQ(place(placement, kZero + kS + 20 * kMs, Dependence::on_others).info.pts_ns, kS + 20 * kMs);
}

TEST_F(Placement, AfterAPauseWhatWasPublishedMeanwhileIsStale) {
  LivePlacement placement = of(Policy::queue);
  (void)place(placement, kZero + kS);
  placement.play_on(kZero + 9 * kS);
  EXPECT_EQ(place(placement, kZero + 2 * kS).verdict, Verdict::stale);
  EXPECT_EQ(place(placement, kZero + 9 * kS + 1).verdict, Verdict::deliver);
}

TEST(LatencyMeter, IsAFramesDurationAndAHandOff) {
  LatencyMeter meter;
  EXPECT_TRUE(meter.set_frame_duration(40 * kMs));
  EXPECT_FALSE(meter.set_frame_duration(40 * kMs));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(meter.observe(-kS)) << "frames that come early need none";
  EXPECT_EQ(meter.latency_ns(), 40 * kMs + LatencyMeter::kHandOffNs);
}

TEST(LatencyMeter, FollowsASenderThatIsLateInStep) {
  LatencyMeter meter;
  EXPECT_TRUE(meter.observe(100 * kMs)) << "a little is believed at once";
  EXPECT_GE(meter.latency_ns(), 100 * kMs);
  meter.reset();
  int changes = 0;
  for (int i = 0; i < 100; ++i) changes += meter.observe(2 * kS + i % 3 * kMs) ? 1 : 0;
  EXPECT_EQ(changes, 1);
  EXPECT_GE(meter.latency_ns(), 2 * kS);
  EXPECT_LT(meter.latency_ns(), 2 * kS + 100 * kMs);
}

TEST(LatencyMeter, TakesNoBacklogForLatency) {
  LatencyMeter meter;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(meter.observe(5 * kS - i * 30 * kMs)) << "it catches up";
  EXPECT_FALSE(meter.observe(60 * kS)) << "a wrong time line";
}

TEST(ClockPair, FollowsADriftWithoutJumpsAndAClockThatWasSetAtOnce) {
  ClockPair pair;
  std::int64_t now_ns = kS;
  EXPECT_EQ(pair.follow(1000, now_ns), 1000);
  std::int64_t last_ns = 1000;
  for (int i = 0; i < 100; ++i) {
    now_ns += 10 * kMs;
    const std::int64_t next_ns = pair.follow(1000 + 5 * kMs, now_ns);
    EXPECT_LE(next_ns - last_ns, 10 * kMs / ClockPair::kSteepest);
    EXPECT_GE(next_ns, last_ns);
    last_ns = next_ns;
  }
  EXPECT_EQ(last_ns, 1000 + kMs) << "a millisecond a second";
  EXPECT_EQ(pair.follow(-70 * kS, now_ns + 1), -70 * kS);
}

TEST(KeyFrameGate, OpensAtAKeyFrameAndLetsHeadersThrough) {
  KeyFrameGate gate;
  EXPECT_TRUE(gate.lets_pass(0));
  gate.close();
  EXPECT_FALSE(gate.lets_pass(0));
  EXPECT_TRUE(gate.should_ask(kS));
  EXPECT_FALSE(gate.should_ask(kS + 1));
  EXPECT_TRUE(gate.should_ask(kS + KeyFrameGate::kAskAgainNs));
  EXPECT_TRUE(gate.lets_pass(reel::kHeader));
  EXPECT_FALSE(gate.lets_pass(0)) << "a header opens nothing";
  EXPECT_TRUE(gate.lets_pass(reel::kKeyFrame));
  EXPECT_TRUE(gate.lets_pass(0));
  EXPECT_FALSE(gate.should_ask(9 * kS));
}

}  // namespace
