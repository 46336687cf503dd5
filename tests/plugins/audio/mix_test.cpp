// audio.mix between streams.
#include <chrono>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

#include "sound_fixture.hpp"

namespace {

using namespace reel;

constexpr AudioFormat kMono{SampleFormat::S16LE, 1000, 1};  // a sample is a millisecond
constexpr AudioFormat kStereo{SampleFormat::F32LE, 1000, 2};

class Mix : public Sound {
 protected:
  std::vector<std::int16_t> some(std::size_t count, int value) const {
    return std::vector<std::int16_t>(count, static_cast<std::int16_t>(value));
  }
};

TEST_F(Mix, AddsSoundsOfTheSameTimeInFramesOfItsOwn) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}, {"gains_db", "0, -6.020599913"}});
  FrameInfo first = at_ms(100);
  first.capture_ns = 70;
  send(0, some(30, 1000), first, R"({"words":1})");
  send(0, some(10, 1000), at_ms(130));
  send(1, some(25, 400), at_ms(110), R"({"words":2})");  // it begins 10 ms later
  writers_[0].end();
  writers_[1].end();
  {
    const Frame frame = next();
    EXPECT_EQ(*frame.format().audio(), kMono);
    std::vector<std::int16_t> wanted = some(10, 1000);
    wanted.resize(20, 1200);
    EXPECT_EQ(samples_of<std::int16_t>(frame), wanted);
    EXPECT_EQ(frame.info().pts_ns, 100'000'000);
    EXPECT_EQ(frame.info().duration_ns, 20'000'000);
    EXPECT_EQ(frame.info().capture_ns, 70);
    std::vector<int> said;
    for (const auto& entry : frame.side_data()) said.push_back(static_cast<char>(entry.data[9]));
    EXPECT_EQ(said, (std::vector<int>{'1', '2'})) << "side data of both";
  }
  {
    const Frame frame = next();
    std::vector<std::int16_t> wanted = some(15, 1200);
    wanted.resize(20, 1000);
    EXPECT_EQ(samples_of<std::int16_t>(frame), wanted);
    EXPECT_EQ(frame.info().pts_ns, 120'000'000);
    EXPECT_TRUE(frame.side_data().empty());
  }
  expect_end();
}

TEST_F(Mix, TakesEverySampleFormatAndChannels) {
  start("audio.mix", {kMono, kStereo, AudioFormat{SampleFormat::S32LE, 1000, 1}},
        {{"format", "F32LE"}, {"channels", "2"}, {"max_wait_ms", "0"}});
  send(0, some(20, 8192), at_ms(0));
  std::vector<float> stereo;
  for (int i = 0; i < 20; ++i) stereo.insert(stereo.end(), {0.125F, -0.25F});
  send(1, stereo, at_ms(0));
  send(2, std::vector<std::int32_t>(20, 1 << 28), at_ms(0));
  for (FrameWriter& writer : writers_) writer.end();
  const Frame frame = next();
  EXPECT_EQ(*frame.format().audio(), kStereo);
  const auto samples = samples_of<float>(frame);
  ASSERT_EQ(samples.size(), 40U);
  EXPECT_FLOAT_EQ(samples[0], 0.25F + 0.125F + 0.125F);
  EXPECT_FLOAT_EQ(samples[1], 0.25F - 0.25F + 0.125F);
}

TEST_F(Mix, MakesOneChannelOfManyAndFollowsAChangeInTheMiddle) {
  start("audio.mix", {kStereo}, {{"format", "S16LE"}, {"channels", "1"}});
  std::vector<float> stereo;
  for (int i = 0; i < 20; ++i) stereo.insert(stereo.end(), {0.5F, 0.25F});
  send(0, stereo, at_ms(0));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 12288));
  writers_[0].set_format(kMono);
  send(0, some(20, 99), at_ms(20));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 99));
}

TEST_F(Mix, CutsAtFullScale) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  send(0, some(20, 30000), at_ms(0));
  send(1, some(20, 30000), at_ms(0));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 32767));
}

TEST_F(Mix, IsSilentWhereAnInputHasAGap) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  send(0, some(40, 100), at_ms(0));
  ASSERT_EQ(writers_[1].write_gap(0, 20'000'000), WriteStatus::ok);
  send(1, some(20, 5), at_ms(20));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 100));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 105));
}

TEST_F(Mix, GoesOnWithoutAnInputThatBringsNothingAndTakesItBack) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "1"}, {"align", "arrival"}});
  int sent = 0;
  Frame frame;
  // The wait is measured when sound comes.
  while (reader_->read(frame, 20) != ReadStatus::frame) {
    ASSERT_LT(++sent, 1000);
    send(0, some(20, 100), {});
  }
  EXPECT_EQ(samples_of<std::int16_t>(frame), some(20, 100));
  frame.release();
  send(1, some(40'000, 7), {});
  bool both = false;
  for (int i = 0; i < 1000 && !both; ++i) {
    send(0, some(20, 100), {});
    while (!both && reader_->read(frame, 5) == ReadStatus::frame)
      both = samples_of<std::int16_t>(frame)[0] == 107;
  }
  EXPECT_TRUE(both);
}

TEST_F(Mix, GoesOnWhenAnInputEnds) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  send(0, some(10, 100), at_ms(0));
  send(1, some(60, 5), at_ms(0));
  writers_[0].end();
  std::vector<std::int16_t> wanted = some(10, 105);
  wanted.resize(20, 5);
  EXPECT_EQ(samples_of<std::int16_t>(next()), wanted);
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 5));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 5));
  writers_[1].end();
  expect_end();
}

TEST_F(Mix, DoesNotWaitForAnInputThatHasEndedBeforeAllOthersBegan) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  writers_[1].end();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // so that the end is seen first, as a rule
  send(0, some(20, 100), at_ms(0));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 100));
}

TEST_F(Mix, KeepsAMinuteOfSoundForAnInputThatBringsNothingAndNoMore) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}, {"frame_ms", "1000"}});
  for (int i = 0; i < 6; ++i) send(0, some(10'000, 100), at_ms(10'000 * i));
  Frame frame;
  EXPECT_EQ(to_string(reader_->read(frame, 300)), "empty") << "a minute is kept";
  send(0, some(10'000, 100), at_ms(60'000));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(1000, 100));
}

TEST_F(Mix, MarksWhereItLeavesLongSilenceOut) {
  start("audio.mix", {kMono}, {});
  send(0, some(20, 100), at_ms(0));
  send(0, some(40, 100), at_ms(20'000));
  {
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, 0);
    EXPECT_EQ(frame.info().flags & kDiscont, 0U);
  }
  {
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, 20'000'000'000);
    EXPECT_NE(frame.info().flags & kDiscont, 0U);
    EXPECT_EQ(samples_of<std::int16_t>(frame), some(20, 100));
  }
  EXPECT_EQ(next().info().flags & kDiscont, 0U);
}

TEST_F(Mix, PassesEventsOn) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  ASSERT_EQ(writers_[1].write_event("marker", 5), WriteStatus::ok);
  const Frame event = next();
  EXPECT_EQ(event.info().kind, FrameKind::event);
  EXPECT_EQ(event.info().pts_ns, 5);
  EXPECT_EQ(event.data().size(), 6U);
}

TEST_F(Mix, HasTheEarliestCaptureTimeOfItsSounds) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  for (const std::size_t input : {0U, 1U}) {
    FrameInfo info = at_ms(0);
    info.capture_ns = input == 0 ? 90 : 70;
    send(input, some(20, 1), info);
  }
  EXPECT_EQ(next().info().capture_ns, 70);
}

TEST_F(Mix, TakesWhatIsNoNumberForSilence) {
  start("audio.mix", {AudioFormat{SampleFormat::F32LE, 1000, 1}});
  std::vector<float> samples(20, 0.5F);
  samples[3] = std::numeric_limits<float>::quiet_NaN();
  samples[4] = std::numeric_limits<float>::infinity();
  send(0, samples, at_ms(0));
  samples[3] = samples[4] = 0;
  EXPECT_EQ(samples_of<float>(next()), samples);
}

TEST_F(Mix, GoesByRunningTimeWhereThereAreSegments) {
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}});
  Segment segment;
  segment.start_ns = 5'000'000'000;
  writers_[0].set_segment(segment);
  send(0, some(20, 100), at_ms(5000));
  send(1, some(20, 5), at_ms(0));
  const Frame frame = next();
  EXPECT_EQ(samples_of<std::int16_t>(frame), some(20, 105));
  EXPECT_EQ(frame.info().pts_ns, 0);
}

TEST_F(Mix, DoesNotClickWhereTimesAreRounded) {
  start("audio.mix", {kMono});
  send(0, some(15, 100), at_ms(0));
  send(0, some(15, 100), at_ms(16));
  send(0, some(10, 100), at_ms(29));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 100));
  EXPECT_EQ(samples_of<std::int16_t>(next()), some(20, 100));
}

TEST_F(Mix, RefusesAnotherRateNamingBoth) {
  start("audio.mix", {kMono, AudioFormat{SampleFormat::S16LE, 44'100, 1}});
  send(0, some(20, 100), at_ms(0));
  send(1, some(20, 100), at_ms(0));
  reel_test::expect_error(ErrorCode::bad_config, {"44100", "1000", "`rate`"}, [&] { stage_->join(); });
}

TEST_F(Mix, RefusesChannelsThatDoNotGoTogether) {
  start("audio.mix", {AudioFormat{SampleFormat::S16LE, 1000, 6}}, {{"channels", "2"}});
  send(0, some(60, 100), at_ms(0));
  reel_test::expect_error(ErrorCode::bad_config, {"6", "2", "`channels`"}, [&] { stage_->join(); });
}

TEST_F(Mix, RefusesGainsThatAreNoneOrTooMany) {
  start("audio.mix", {kMono}, {{"gains_db", "0, 5"}});
  reel_test::expect_error(ErrorCode::bad_config, {"gains_db has 2", "1 inputs"}, [&] { stage_->join(); });
}

TEST_F(Mix, RefusesGainsThatAreNoNumbers) {
  for (const char* gain : {"loud", "3dB", "60.5", "-121", "1e999", "nan"}) {
    SCOPED_TRACE(gain);
    writers_.clear();
    reader_.reset();
    stage_.reset();
    out_ = reel_test::unique_name("out");
    start("audio.mix", {kMono}, {{"gains_db", gain}});
    reel_test::expect_error(ErrorCode::bad_config, {std::string("\"") + gain + "\"", "-120 to 60"},
                            [&] { stage_->join(); });
  }
}

// A clip that decodes faster than another is minutes ahead of it soon, if nothing holds it up.
TEST_F(Mix, IsExactHoweverFarOneInputComesAheadOfTheOther) {
  constexpr int kFrames = 600, kMs = 200;  // two minutes
  start("audio.mix", {kMono, kMono}, {{"max_wait_ms", "0"}, {"frame_ms", "1000"}});
  const auto feed = [&](std::size_t input, int value, int pause_ms) {
    for (int i = 0; i < kFrames; ++i) {
      send(input, some(kMs, value), at_ms(std::int64_t{kMs} * i));
      if (pause_ms != 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    }
    writers_[input].end();
  };
  std::thread fast(feed, 0, 100, 0), slow(feed, 1, 5, 5);
  for (int i = 0; i < kFrames * kMs / 1000; ++i) {
    const Frame frame = next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame.info().pts_ns, std::int64_t{i} * 1'000'000'000);
    EXPECT_EQ(samples_of<std::int16_t>(frame), some(1000, 105)) << "second " << i;
  }
  fast.join();
  slow.join();
  expect_end();
}

}  // namespace
