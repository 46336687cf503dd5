// A display fed with pictures and sound of the test. Single-thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <reel_test/page_client.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/channel/opencv_convert.hpp>

using reel_test::Answer;
using reel_test::ask;
using reel_test::free_port;
using reel_test::get;
using reel_test::PageClient;
using reel_test::TakenPort;

class DisplayFixture : public ::testing::Test {
 protected:
  void start(std::map<std::string, std::string> options) {
    options.try_emplace("window", "never");
    options.try_emplace("port", std::to_string(port_));
    reel::StageSetup setup;
    setup.name = "screen";
    setup.plugin = "display";
    setup.options = reel_test::options(options);
    reel::WriterOptions writer;
    writer.wait_for = {"screen"};
    picture_.emplace(picture_name_, reel::VideoFormat{reel::PixelFormat::I420, 320, 240, {30, 1}}, writer);
    sound_.emplace(sound_name_, reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 1}, writer);
    reel::ReaderOptions reader;
    reader.name = "screen";
    setup.inputs = {{"in", picture_name_, reader}, {"in", sound_name_, reader}};
    stage_.emplace(setup);
  }
  /// The same, with a page that answers when this returns.
  void start_page(std::map<std::string, std::string> options = {}) {
    start(std::move(options));
    ASSERT_TRUE(reel_test::wait_until([&] { return get(port_, "/").status == 200; }));
  }
  /// Publishes a picture of one colour (blue, green, red).
  void show(const cv::Scalar& bgr) {
    reel::Loan loan;
    ASSERT_EQ(reel::to_string(picture_->acquire(loan)), "ok") << picture_->error();
    reel::from_bgr(cv::Mat(240, 320, CV_8UC3, bgr), loan);
    reel::FrameInfo info;
    info.pts_ns = pts_ns_ += 33'000'000;
    ASSERT_EQ(reel::to_string(picture_->publish(std::move(loan), info)), "ok") << picture_->error();
  }
  void sound(float rms_dbfs, float peak_dbfs) {
    reel::Loan loan;
    ASSERT_EQ(reel::to_string(sound_->acquire(loan, 960)), "ok") << sound_->error();
    reel::AudioLevel level;
    level.channels = 1;
    level.rms_dbfs[0] = rms_dbfs;
    level.peak_dbfs[0] = peak_dbfs;
    ASSERT_TRUE(loan.side_data().add_audio_level("test", level));
    ASSERT_EQ(reel::to_string(sound_->publish(std::move(loan), {})), "ok") << sound_->error();
  }
  void finish() {
    picture_->end();
    sound_->end();
    stage_->join();
  }
  [[nodiscard]] nlohmann::json status() const {
    return nlohmann::json::parse(get(port_, "/status.json").body, nullptr, false);
  }
  /// Shows the colour until the page has a picture.
  void show_until_seen(const cv::Scalar& bgr) {
    ASSERT_TRUE(reel_test::wait_until([&] {
      show(bgr);
      return get(port_, "/snapshot.jpg").status == 200;
    }));
  }

  reel_test::TempRuntimeDir directory_;
  std::uint16_t port_ = free_port();
  std::string picture_name_ = reel_test::unique_name("picture");
  std::string sound_name_ = reel_test::unique_name("sound");
  std::int64_t pts_ns_ = 0;
  std::optional<reel::FrameWriter> picture_, sound_;
  std::optional<reel_test::RunningStage> stage_;
};
