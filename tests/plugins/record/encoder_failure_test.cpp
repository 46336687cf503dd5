// Encoders that hang or fail in the middle: what is inside them is lost, counted once and marked where it is
// missing; recording goes on with another one.
#include "faulty_encoder.hpp"
#include "media_fixture.hpp"
#include "recorder_fixture.hpp"
#include "side_fixture.hpp"

#include <media/apart.hpp>

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::Recorder;
using record::RecordSettings;
using record::SegmentRecord;
using ::testing::HasSubstr;

class EncoderFailure : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_ = settings_in(scratch_);
    settings_.encoder_timeout_ns = 1'000'000'000;
    ::setenv("REEL_FAULTY_ENCODER", file().c_str(), 1);
    ASSERT_TRUE(register_faulty_encoder(nullptr, "vah264enc", "x264enc"));
  }
  // What hangs ends before this process does.
  void TearDown() override {
    steer("");
    EXPECT_TRUE(wait_until([] { return record::left_behind() == 0; }));
  }
  [[nodiscard]] std::string file() const { return scratch_.path() + "/fault"; }
  void steer(const std::string& fault) const { steer_encoder(file(), fault); }
  [[nodiscard]] std::string directory() const { return settings_.directory; }
  [[nodiscard]] static std::uint64_t lost(Recorder& recorder) { return recorder.spool().counts().lost; }

  /// All that was put is in the files or in their gaps, and the recorder has counted the same.
  std::vector<SegmentRecord> expect_all_told(Recorder& recorder, std::uint64_t put,
                                             const std::string& reason) {
    recorder.finish();
    recorder.wait_for_files();
    const auto segments = finished_in(directory());
    expect_intact(directory(), segments);
    const std::uint64_t gaps = lost_frames(segments, "camera");
    EXPECT_GT(gaps, 0U);
    EXPECT_EQ(lost(recorder), gaps);
    EXPECT_EQ(pictures_in(segments) + gaps, put);
    EXPECT_EQ(numbers_of(directory(), segments, "camera").size(), pictures_in(segments)) << "and the facts";
    for (const SegmentRecord& segment : segments)
      for (const record::Gap& gap : segment.gaps) {
        EXPECT_EQ(gap.reason, reason);
        EXPECT_GE(gap.end_ns - gap.start_ns, static_cast<std::int64_t>(gap.frames) * kStep_ns);
      }
    return segments;
  }

  ScratchDir scratch_;
  RecordSettings settings_;
};

TEST_F(EncoderFailure, OneThatHangsIsLeftBehindAndAnotherBegins) {
  steer("hang 20");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 60; ++i) (void)recorder.spool().put(camera.next());
  ASSERT_TRUE(wait_until([&] { return lost(recorder) > 0; }));
  EXPECT_GE(record::left_behind(), 1U) << "its own thread waits for it";
  steer("");
  expect_all_told(recorder, 60, "the encoder hung");
}

TEST_F(EncoderFailure, OneThatTakesFramesAndGivesNothingHangs) {
  steer("swallow 20");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 90; ++i) (void)recorder.spool().put(camera.next());
  ASSERT_TRUE(wait_until([&] { return lost(recorder) > 0; }));
  steer("");
  expect_all_told(recorder, 90, "the encoder hung");
}

TEST_F(EncoderFailure, OneThatHangsAtTheEndIsWaitedForNoLonger) {
  steer("hang 20");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 22; ++i) (void)recorder.spool().put(camera.next());
  const auto segments = expect_all_told(recorder, 22, "the encoder hung");
  EXPECT_EQ(pictures_in(segments), 19U);
}

TEST_F(EncoderFailure, OneThatCannotBeOpenedIsWaitedForNoLonger) {
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  ASSERT_TRUE(wait_until([&] { return recorder.spool().counts().frames == 0; }));
  steer("open");
  camera.resize(160, 120);
  for (int i = 0; i < 30; ++i) (void)recorder.spool().put(camera.next());
  ASSERT_TRUE(wait_until([&] { return lost(recorder) > 0; }));
  steer("");
  expect_all_told(recorder, 60, "the encoder hung");
}

TEST_F(EncoderFailure, TooManyThatHangEndTheStageAndWhatWasRecordedIsWhole) {
  settings_.encoder_timeout_ns = 300'000'000;
  steer("hang 10");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 200; ++i) (void)recorder.spool().put(camera.next());
  std::string failure;
  ASSERT_TRUE(wait_until([&] {
    try {
      recorder.check();
    } catch (const reel::Error& error) {
      failure = error.what();
    }
    return !failure.empty();
  }));
  EXPECT_THAT(failure, HasSubstr("5 encoders hang and cannot be stopped"));
  EXPECT_THAT(failure, HasSubstr("h264"));
  expect_all_told(recorder, 200, "the encoder hung");
}

TEST_F(EncoderFailure, OneThatFailsInTheMiddleLosesWhatIsInsideOnce) {
  steer("error 30");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 100; ++i) (void)recorder.spool().put(camera.next());
  expect_all_told(recorder, 100, "the encoder failed");
}

TEST_F(EncoderFailure, APictureThatItLeavesOutIsToldOf) {
  for (const std::string left_out : {"1", "30", "51", "100"}) {  // 51 would have been a key frame
    const ScratchDir scratch;
    settings_.directory = scratch.path() + "/recordings";
    steer("drop " + left_out);
    Recorder recorder(settings_, {"camera"});
    Camera camera(320, 240);
    for (int i = 0; i < 100; ++i) (void)recorder.spool().put(camera.next());
    const auto segments = expect_all_told(recorder, 100, "the encoder left it out");
    EXPECT_EQ(pictures_in(segments), 99U) << left_out;
    const auto numbers = numbers_of(directory(), segments, "camera");
    EXPECT_EQ(std::count(numbers.begin(), numbers.end(), std::stoull(left_out) - 1), 0) << left_out;
  }
}

TEST_F(EncoderFailure, APictureThatCameBrokenIsToldOf) {
  record::CodingWish wish;
  wish.codec = "mjpeg";
  const auto units = record_test::encode(record_test::picture_format(), wish,
                                         record_test::pictures(record_test::picture_format(), 100, kStep_ns));
  const auto format = std::make_shared<reel::Format>(reel::gst::format_from_caps(units.at(0).caps.get()));
  steer("");
  Recorder recorder(settings_, {"camera"});
  for (std::uint64_t i = 0; i < units.size(); ++i) {
    record::SpooledFrame frame;
    frame.number = i;
    frame.format = format;
    frame.info.pts_ns = units[i].time_ns;
    frame.info.duration_ns = kStep_ns;
    frame.info.flags = reel::kKeyFrame;
    frame.published_ns = reel::monotonic_ns();
    frame.buffer = units[i].buffer;
    if (i == 30) {
      frame.buffer = {gst_buffer_new_allocate(nullptr, 100, nullptr), reel::gst::Unref{}};
      gst_buffer_memset(frame.buffer.get(), 0, 0, 100);
    }
    (void)recorder.spool().put(std::move(frame));
  }
  const auto segments = expect_all_told(recorder, 100, "no picture was found in it");
  EXPECT_EQ(pictures_in(segments), 99U);
}

/// The facts of frames are elsewhere where there are no continuous files.
TEST_F(EncoderFailure, OfEventsAloneItLosesWhatIsInsideOnce) {
  for (const record::RecordMode mode : {record::RecordMode::events, record::RecordMode::both}) {
    const ScratchDir scratch;
    settings_.directory = scratch.path() + "/recordings";
    settings_.mode = mode;
    settings_.events.rules = record::event_rules_from({"motion 0.5"});
    settings_.pre_roll.length_ns = 1'000'000'000;
    steer("error 30");
    Recorder recorder(settings_, {"camera"});
    Camera camera(320, 240);
    record::Side side;
    side.move(1.0F);
    for (int i = 0; i < 100; ++i) {
      record::SpooledFrame frame = camera.next();
      frame.side_data.assign(side.view().bytes().begin(), side.view().bytes().end());
      (void)recorder.spool().put(std::move(frame));
    }
    recorder.finish();
    recorder.wait_for_files();
    const auto all = finished_in(directory());
    expect_intact(directory(), all);
    for (const auto kind : {record::SegmentClass::event, record::SegmentClass::continuous}) {
      auto segments = all;
      std::erase_if(segments, [&](const SegmentRecord& one) { return one.kind != kind; });
      if (kind == record::SegmentClass::continuous && mode == record::RecordMode::events) continue;
      EXPECT_EQ(pictures_in(segments) + lost(recorder), 100U);
      EXPECT_EQ(numbers_of(directory(), segments, "camera").size(), pictures_in(segments));
      EXPECT_EQ(lost_frames(segments, "camera"), lost(recorder));
    }
    EXPECT_GT(lost(recorder), 0U);
  }
}

/// Nothing comes after what was lost.
TEST_F(EncoderFailure, WhatIsTooMuchForASlowOneAtTheEndIsToldAsWell) {
  settings_.spool_memory = 3'000'000;
  steer("sleep 20000");
  Recorder recorder(settings_, {"camera"});
  Camera camera(320, 240);
  for (int i = 0; i < 100; ++i) (void)recorder.spool().put(camera.next());
  expect_all_told(recorder, 100, "encoder or disk were too slow, and the spool was full");
}

TEST_F(EncoderFailure, OfSoundIsCountedInBlocks) {
  ASSERT_TRUE(register_faulty_encoder(nullptr, "avenc_aac", "avenc_aac"));
  const auto format = std::make_shared<reel::Format>(reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 1});
  for (const std::string fault : {"error 30", "hang 30"}) {
    const ScratchDir scratch;
    settings_.directory = scratch.path() + "/recordings";
    steer(fault);
    Recorder recorder(settings_, {"sound"});
    constexpr std::int64_t kBlock_ns = 20'000'000;
    for (std::uint64_t i = 0; i < 100; ++i) {
      record::SpooledFrame block;
      block.number = i;
      block.format = format;
      block.info.pts_ns = static_cast<std::int64_t>(i) * kBlock_ns;
      block.info.duration_ns = kBlock_ns;
      block.published_ns = reel::monotonic_ns();
      block.buffer = {gst_buffer_new_allocate(nullptr, 1920, nullptr), reel::gst::Unref{}};
      gst_buffer_memset(block.buffer.get(), 0, 0, 1920);
      (void)recorder.spool().put(std::move(block));
    }
    ASSERT_TRUE(wait_until([&] { return lost(recorder) > 0; }));
    if (fault.starts_with("hang")) steer("");
    recorder.finish();
    recorder.wait_for_files();
    const auto segments = finished_in(directory());
    expect_intact(directory(), segments);
    EXPECT_EQ(lost_frames(segments, "sound"), lost(recorder)) << fault;
    EXPECT_EQ(numbers_of(directory(), segments, "sound").size() + lost(recorder), 100U) << fault;
  }
}

TEST_F(EncoderFailure, AMuxerThatHangsAtTheEndKeepsNobodyWaiting) {
  ASSERT_TRUE(register_hanging_muxer("matroskamux"));
  steer("");
  const auto units = record_test::encode(record_test::picture_format(), {},
                                         record_test::pictures(record_test::picture_format(), 10, kStep_ns));
  steer("hang");
  {
    const record_test::OpenFile file(scratch_.path() + "/hangs.mkv");
    record::DescriptorSink sink(file.descriptor());
    record::Mux::Settings settings;
    settings.tracks = 1;
    settings.timeout_ns = 300'000'000;
    settings.where = "hangs.mkv";
    record::Mux mux(std::move(settings), sink);
    for (const record::Unit& unit : units) mux.write(unit);
    expect_error(reel::ErrorCode::timeout, {"hangs.mkv", "its muxer has done nothing for 300ms"},
                 [&] { mux.finish(); });
  }
  EXPECT_EQ(record::left_behind(), 1U) << "and it has no file any more";
}

}  // namespace
}  // namespace reel_test
