// A filter between two streams of the test: pictures in, pictures out. Single-thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/opencv_convert.hpp>

class Filter : public ::testing::Test {
 protected:
  void start(const std::string& plugin, const reel::Format& format,
             const std::map<std::string, std::string>& options = {}, std::uint32_t side_data_bytes = 4096) {
    reel::WriterOptions writer;
    writer.wait_for = {"filter"};
    writer_.emplace(in_, format, writer);
    reel::StageSetup setup;
    setup.name = "filter";
    setup.plugin = plugin;
    setup.options = reel_test::options(options);
    reel::ReaderOptions reader;
    reader.name = "filter";
    reader.policy = reel::Policy::lossless;
    setup.inputs = {{"in", in_, reader}};
    reel::WriterOptions out;
    out.wait_for = {"test"};
    out.side_data_bytes = side_data_bytes;
    setup.outputs = {{"out", out_, out}};
    stage_.emplace(setup);
    reel::ReaderOptions test;
    test.name = "test";
    test.policy = reel::Policy::lossless;
    reader_.emplace(out_, test);
  }
  /// Publishes `bgr` in the writer's pixel format.
  void send(const cv::Mat& bgr, const reel::FrameInfo& info = {},
            const std::vector<reel::Detection>& boxes = {}) {
    reel::Loan loan;
    ASSERT_EQ(reel::to_string(writer_->acquire(loan)), "ok") << writer_->error();
    reel::from_bgr(bgr, loan);
    if (!boxes.empty()) {
      ASSERT_TRUE(loan.side_data().add_detections("test", boxes));
    }
    ASSERT_EQ(reel::to_string(writer_->publish(std::move(loan), info)), "ok") << writer_->error();
  }
  reel::Frame next() {
    reel::Frame frame;
    EXPECT_EQ(reel::to_string(reader_->read(frame, 60'000)), "frame") << reader_->error();
    return frame;
  }
  /// Ends the input and sees the end pass through.
  void finish() {
    writer_->end();
    reel::Frame frame;
    EXPECT_EQ(reel::to_string(reader_->read(frame, 60'000)), "ended");
    stage_->join();
  }
  static std::vector<reel::Detection> detections(const reel::Frame& frame) {
    std::vector<reel::Detection> all;
    for (const auto& entry : frame.side_data()) {
      const auto found = reel::SideDataView::detections(entry);
      all.insert(all.end(), found.begin(), found.end());
    }
    return all;
  }

  reel_test::TempRuntimeDir directory_;
  std::string in_ = reel_test::unique_name("in");
  std::string out_ = reel_test::unique_name("out");
  std::optional<reel::FrameWriter> writer_;
  std::optional<reel::FrameReader> reader_;
  std::optional<reel_test::RunningStage> stage_;
};

/// A name of a parametrised case: the pixel format's.
inline std::string pixel_name(const ::testing::TestParamInfo<reel::PixelFormat>& info) {
  return std::string(reel::to_string(info.param));
}
