#include <gtest/gtest.h>

#include <reel/base/clock.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/pointers.hpp>

namespace {

using namespace reel;

class GstTimes : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(GstTimes, FlagsAndTimesOfABufferSurviveTheWayThereAndBack) {
  FrameInfo info;
  info.flags = kDiscont | kCorrupted | kHeader | kDroppable;
  info.pts_ns = 5;
  info.dts_ns = 3;
  info.duration_ns = 7;
  info.offset = 11;
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new());
  gst::set_frame_info(buffer.get(), info);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT));
  const FrameInfo back = gst::frame_info(buffer.get());
  EXPECT_EQ(back.flags, info.flags);
  EXPECT_EQ(back.pts_ns, 5);
  EXPECT_EQ(back.dts_ns, 3);
  EXPECT_EQ(back.duration_ns, 7);
  EXPECT_EQ(back.offset, 11U);
}

TEST_F(GstTimes, ABufferWithoutTimesIsAKeyFrameWithoutTimes) {
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new());
  const FrameInfo info = gst::frame_info(buffer.get());
  EXPECT_EQ(info.flags, static_cast<std::uint32_t>(kKeyFrame));
  EXPECT_EQ(info.pts_ns, kNoTime);
  EXPECT_EQ(info.dts_ns, kNoTime);
  EXPECT_EQ(info.duration_ns, kNoTime);
  EXPECT_EQ(info.offset, ~std::uint64_t{0});
}

TEST_F(GstTimes, RunningTimesAgreeWithGStreamerAfterASegmentsWayThereAndBack) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = 2.0;
  segment.start = 1'000;
  segment.stop = 9'000;
  segment.time = 1'000;
  segment.base = 50;
  segment.offset = 200;
  const Segment ours = gst::segment_from(segment, 77);
  EXPECT_EQ(ours.monotonic_offset_ns, 77);
  const GstSegment back = gst::segment_to(ours);
  for (const guint64 pts : {1'200U, 3'000U, 9'000U}) {
    const auto running = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts);
    EXPECT_EQ(gst_segment_to_running_time(&back, GST_FORMAT_TIME, pts), running);
    EXPECT_EQ(gst_segment_to_stream_time(&back, GST_FORMAT_TIME, pts),
              gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts));
    EXPECT_EQ(gst::capture_time(segment, static_cast<std::int64_t>(pts), 77),
              static_cast<std::int64_t>(running) + 77);
  }
  EXPECT_EQ(gst::capture_time(segment, 3'000, kNoTime), kNoTime);
  EXPECT_EQ(gst::capture_time(segment, 9'001, 77), kNoTime);
  EXPECT_EQ(gst::capture_time(segment, kNoTime, 77), kNoTime);
  GstSegment of_bytes;
  gst_segment_init(&of_bytes, GST_FORMAT_BYTES);
  EXPECT_EQ(gst::capture_time(of_bytes, 10, 77), kNoTime) << "it says nothing of times";
}

TEST_F(GstTimes, SegmentsPlayedBackwardsOrAtAnAppliedRateAgreeWithGStreamerAfterTheirWay) {
  for (const auto& [rate, applied] :
       {std::pair{-1.0, 1.0}, {-2.0, 1.0}, {1.0, 2.0}, {1.0, -1.0}, {0.5, 2.0}}) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = rate;
    segment.applied_rate = applied;
    segment.start = 1'000;
    segment.stop = 9'000;
    segment.time = 20'000;
    segment.base = 50;
    segment.offset = 400;
    const GstSegment back = gst::segment_to(gst::segment_from(segment, 77));
    for (const guint64 pts : {1'400U, 3'000U, 8'600U}) {
      EXPECT_EQ(gst_segment_to_running_time(&back, GST_FORMAT_TIME, pts),
                gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts))
          << rate << " " << applied << " " << pts;
      EXPECT_EQ(gst_segment_to_stream_time(&back, GST_FORMAT_TIME, pts),
                gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts))
          << rate << " " << applied << " " << pts;
    }
  }
}

TEST_F(GstTimes, ASegmentOfBytesSaysNothingOfTimes) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  segment.start = 4'096;
  segment.base = 512;
  const Segment expected{.monotonic_offset_ns = 77};
  EXPECT_EQ(gst::segment_from(segment, 77), expected);
}

TEST_F(GstTimes, TheSystemClockIsMonotonic) {
  const gst::Ptr<GstClock> clock(gst_system_clock_obtain());
  EXPECT_EQ(gst::monotonic_minus(clock.get()), 0);
  const std::int64_t before = monotonic_ns();
  const auto there = static_cast<std::int64_t>(gst_clock_get_time(clock.get()));
  EXPECT_GE(there, before);
  EXPECT_LE(there, monotonic_ns());
}

TEST_F(GstTimes, TheDistanceToAnotherClockIsMeasured) {
  const gst::Ptr<GstClock> clock(static_cast<GstClock*>(gst_object_ref_sink(
      g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type", GST_CLOCK_TYPE_REALTIME, nullptr))));
  const std::int64_t offset = gst::monotonic_minus(clock.get());
  const std::int64_t before = monotonic_ns();
  const auto there = static_cast<std::int64_t>(gst_clock_get_time(clock.get())) + offset;
  const std::int64_t after = monotonic_ns();
  constexpr std::int64_t kMillisecond = 1'000'000;  // the realtime clock may be slewed meanwhile
  EXPECT_GE(there, before - kMillisecond);
  EXPECT_LE(there, after + kMillisecond);
}

TEST_F(GstTimes, AnElementWithoutAClockHasNoOffset) {
  const gst::Ptr<GstElement> element(static_cast<GstElement*>(gst_object_ref_sink(gst_bin_new(nullptr))));
  EXPECT_EQ(gst::monotonic_offset(element.get()), kNoTime);
  const gst::Ptr<GstClock> clock(gst_system_clock_obtain());
  gst_element_set_clock(element.get(), clock.get());
  gst_element_set_base_time(element.get(), 123);
  EXPECT_EQ(gst::monotonic_offset(element.get()), 123);
}

}  // namespace
