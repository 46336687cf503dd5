// audio.gain between two streams.
#include <limits>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

#include "sound_fixture.hpp"

namespace {

using namespace reel;
using ::testing::ElementsAre;
using ::testing::FloatEq;

constexpr AudioFormat kStereo{SampleFormat::S16LE, 48'000, 2};

class Gain : public Sound {};

TEST_F(Gain, HalvesWithMinusSixDecibelsAndKeepsWhatWasSaid) {
  start("audio.gain", {kStereo}, {{"gain_db", "-6.020599913"}});
  Segment segment;
  segment.start_ns = 5;
  writers_[0].set_segment(segment);
  writers_[0].set_tags("title=tone");
  FrameInfo info = at_ms(7);
  info.duration_ns = 41;
  info.capture_ns = 77;
  info.offset = 5;
  info.flags = kKeyFrame | kDiscont;
  send<std::int16_t>(0, {1000, -1000, 32767, -32768}, info, R"({"words":1})");
  const Frame frame = next();
  EXPECT_THAT(samples_of<std::int16_t>(frame), ElementsAre(500, -500, 16384, -16384));
  EXPECT_EQ(*frame.format().audio(), kStereo);
  EXPECT_EQ(frame.info().pts_ns, 7'000'000);
  EXPECT_EQ(frame.info().duration_ns, 41);
  EXPECT_EQ(frame.info().capture_ns, 77);
  EXPECT_EQ(frame.info().offset, 5U);
  EXPECT_EQ(frame.info().flags, kKeyFrame | kDiscont);
  ASSERT_NE(frame.segment(), nullptr);
  EXPECT_EQ(frame.segment()->start_ns, 5);
  ASSERT_NE(frame.tags(), nullptr);
  EXPECT_EQ(*frame.tags(), "title=tone");
  EXPECT_EQ(json_of(frame, "speech")["words"], 1);
  EXPECT_TRUE(frame.verified());
  writers_[0].end();
}

TEST_F(Gain, CutsWholeNumbersAtFullScaleAndLeavesFloatsBeyondIt) {
  start("audio.gain", {kStereo}, {{"gain_db", "20"}});
  send<std::int16_t>(0, {5000, -5000, 100, -100});
  EXPECT_THAT(samples_of<std::int16_t>(next()), ElementsAre(32767, -32768, 1000, -1000));
  writers_[0].set_format(AudioFormat{SampleFormat::S32LE, 48'000, 1});  // in the middle
  send<std::int32_t>(0, {2'000'000'000, -2'000'000'000, 7, -7});
  EXPECT_THAT(samples_of<std::int32_t>(next()),
              ElementsAre(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min(),
                          70, -70));
  writers_[0].set_format(AudioFormat{SampleFormat::F32LE, 44'100, 1});
  send<float>(0, {0.5F, -0.25F});
  const Frame frame = next();
  EXPECT_THAT(samples_of<float>(frame), ElementsAre(FloatEq(5), FloatEq(-2.5F)));
  EXPECT_EQ(frame.format().audio()->rate_hz, 44'100U);
  writers_[0].end();
}

TEST_F(Gain, IsExactAtZeroDecibelsAndKeepsAnIncompleteSample) {
  start("audio.gain", {AudioFormat{SampleFormat::S32LE, 48'000, 1}});
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 1003; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 37));
  send(0, bytes);
  EXPECT_EQ(samples_of<std::uint8_t>(next()), bytes);
  writers_[0].end();
}

TEST_F(Gain, IsSilenceWhenMuted) {
  start("audio.gain", {AudioFormat{SampleFormat::F32LE, 48'000, 1}}, {{"mute", "true"}, {"gain_db", "20"}});
  send<float>(0, {0.5F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()});
  EXPECT_THAT(samples_of<float>(next()), ElementsAre(0, 0, 0));
  writers_[0].end();
}

TEST_F(Gain, PassesGapsEventsAndTheEndOn) {
  start("audio.gain", {kStereo});
  ASSERT_EQ(writers_[0].write_gap(10, 20), WriteStatus::ok);
  ASSERT_EQ(writers_[0].write_event("marker", 30), WriteStatus::ok);
  EXPECT_EQ(next().info().kind, FrameKind::gap);
  EXPECT_EQ(next().info().kind, FrameKind::event);
  writers_[0].end();
  expect_end();
}

TEST_F(Gain, RefusesMoreThanItsRange) {
  start("audio.gain", {kStereo}, {{"gain_db", "100"}});
  reel_test::expect_error(ErrorCode::bad_config, {"gain_db", "100", "-120..60"}, [&] { stage_->join(); });
}

}  // namespace
