// The stage audio.level between two streams.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace {

using namespace reel;

constexpr AudioFormat kFormat{SampleFormat::F32LE, 48'000, 1};

std::vector<float> tone(float amplitude) {
  std::vector<float> samples;
  for (int i = 0; i < 480; ++i)
    samples.push_back(amplitude * static_cast<float>(std::sin(2 * std::numbers::pi * i / 48.0)));
  return samples;
}

class AudioLevelStage : public ::testing::Test {
 protected:
  void start(const Format& format, const std::map<std::string, std::string>& options = {},
             std::uint32_t side_data_bytes = 4096) {
    WriterOptions writer;
    writer.wait_for = {"meter"};
    writer_.emplace(in_, format, writer);
    StageSetup setup;
    setup.name = "level";
    setup.plugin = "audio.level";
    setup.options = reel_test::options(options);
    ReaderOptions reader;
    reader.name = "meter";
    reader.policy = Policy::lossless;
    setup.inputs = {{"in", in_, reader}};
    WriterOptions out;
    out.wait_for = {"test"};
    out.side_data_bytes = side_data_bytes;
    setup.outputs = {{"out", out_, out}};
    stage_.emplace(setup);
    ReaderOptions test;
    test.name = "test";
    test.policy = Policy::lossless;
    reader_.emplace(out_, test);
  }
  Frame next() {
    Frame frame;
    EXPECT_EQ(to_string(reader_->read(frame, 60'000)), to_string(ReadStatus::frame)) << reader_->error();
    return frame;
  }
  void expect_end() {
    Frame frame;
    EXPECT_EQ(to_string(reader_->read(frame, 60'000)), to_string(ReadStatus::ended));
  }

  reel_test::TempRuntimeDir directory_;
  std::string in_ = reel_test::unique_name("sound");
  std::string out_ = reel_test::unique_name("loudness");
  std::optional<FrameWriter> writer_;
  std::optional<FrameReader> reader_;
  std::optional<reel_test::RunningStage> stage_;
};

TEST_F(AudioLevelStage, PassesSoundOnUntouchedWithItsLevel) {
  start(kFormat);
  const std::vector<float> samples = tone(0.5F);
  FrameInfo info;
  info.pts_ns = 1'000;
  info.duration_ns = 10'000'000;
  info.capture_ns = 77;
  info.offset = 5;
  Segment segment;
  segment.start_ns = 1'000;
  writer_->set_segment(segment);
  writer_->set_tags("title=tone");
  ASSERT_EQ(writer_->write(std::as_bytes(std::span(samples)), info), WriteStatus::ok);

  const Frame frame = next();
  EXPECT_EQ(*frame.format().audio(), kFormat);
  ASSERT_EQ(frame.data().size(), samples.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(frame.data().data(), samples.data(), frame.data().size()), 0);
  EXPECT_TRUE(frame.verified());
  EXPECT_EQ(frame.info().pts_ns, 1'000);
  EXPECT_EQ(frame.info().duration_ns, 10'000'000);
  EXPECT_EQ(frame.info().capture_ns, 77);
  EXPECT_EQ(frame.info().offset, 5U);
  ASSERT_NE(frame.segment(), nullptr);
  EXPECT_EQ(*frame.segment(), segment);
  ASSERT_NE(frame.tags(), nullptr);
  EXPECT_EQ(*frame.tags(), "title=tone");
  const auto level = frame.side_data().audio_level();
  ASSERT_TRUE(level);
  EXPECT_EQ(level->channels, 1U);
  EXPECT_NEAR(level->peak_dbfs[0], -6.02, 0.01);
  EXPECT_NEAR(level->rms_dbfs[0], -9.03, 0.01);

  writer_->end();
  expect_end();
  stage_->join();
}

TEST_F(AudioLevelStage, KeepsTheSideDataThatCame) {
  start(kFormat);
  const std::vector<float> samples = tone(1);
  Loan loan;
  ASSERT_EQ(writer_->acquire(loan, samples.size() * sizeof(float)), WriteStatus::ok);
  ASSERT_TRUE(loan.copy_from(std::as_bytes(std::span(samples))));
  ASSERT_TRUE(loan.side_data().add_json("speech", R"({"words":1})"));
  ASSERT_EQ(writer_->publish(std::move(loan), {}), WriteStatus::ok);
  const Frame frame = next();
  std::vector<std::string> names;
  for (const auto& entry : frame.side_data()) names.emplace_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"audio.level", "speech"}));
}

TEST_F(AudioLevelStage, PassesSoundOnWhereTheLevelDoesNotFit) {
  start(kFormat, {}, 8);
  const std::vector<float> samples = tone(1);
  ASSERT_EQ(writer_->write(std::as_bytes(std::span(samples))), WriteStatus::ok);
  const Frame frame = next();
  EXPECT_EQ(frame.data().size(), samples.size() * sizeof(float));
  EXPECT_TRUE(frame.side_data().empty());
}

TEST_F(AudioLevelStage, ForgetsTheWindowAtADiscontinuity) {
  start(kFormat, {{"window_ms", "1000"}});
  const std::vector<float> loud = tone(1);
  const std::vector<float> silent(480, 0.0F);
  FrameInfo cut;
  cut.flags = kKeyFrame | kDiscont;
  ASSERT_EQ(writer_->write(std::as_bytes(std::span(loud))), WriteStatus::ok);
  ASSERT_EQ(writer_->write(std::as_bytes(std::span(silent))), WriteStatus::ok);
  ASSERT_EQ(writer_->write(std::as_bytes(std::span(silent)), cut), WriteStatus::ok);
  EXPECT_NEAR(next().side_data().audio_level()->peak_dbfs[0], 0, 0.01);
  EXPECT_NEAR(next().side_data().audio_level()->peak_dbfs[0], 0, 0.01);
  EXPECT_FLOAT_EQ(next().side_data().audio_level()->peak_dbfs[0], -200);
}

TEST_F(AudioLevelStage, PassesGapsAndEventsOn) {
  start(kFormat);
  ASSERT_EQ(writer_->write_gap(10, 20), WriteStatus::ok);
  ASSERT_EQ(writer_->write_event("marker", 30), WriteStatus::ok);
  {
    const Frame gap = next();
    EXPECT_EQ(gap.info().kind, FrameKind::gap);
    EXPECT_EQ(gap.info().pts_ns, 10);
    EXPECT_EQ(gap.info().duration_ns, 20);
  }
  const Frame event = next();
  EXPECT_EQ(event.info().kind, FrameKind::event);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(event.data().data()), event.data().size()), "marker");
}

TEST_F(AudioLevelStage, RefusesVideoByName) {
  start(VideoFormat{PixelFormat::GRAY8, 16, 16, {30, 1}});
  const std::vector<std::byte> picture(16 * 16);
  ASSERT_EQ(writer_->write(picture), WriteStatus::ok);
  reel_test::expect_error(ErrorCode::bad_config, {"audio", in_, "GRAY8"}, [&] { stage_->join(); });
}

}  // namespace
