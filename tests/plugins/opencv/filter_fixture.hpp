// A filter between two streams of the test: pictures in, pictures out. Single-thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/opencv_convert.hpp>

/// Every stride wider than its row needs, planes apart from each other.
inline reel::VideoLayout padded_layout(const reel::VideoFormat& video) {
  reel::VideoLayout layout = reel::default_layout(video);
  std::uint64_t offset = 32;
  for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
    reel::Plane& plane = layout.planes[i];
    plane.offset_bytes = offset;
    plane.stride_bytes += 20;
    offset += std::uint64_t{plane.stride_bytes} * plane.rows + 64;
  }
  layout.bytes = offset;
  return layout;
}

inline reel::Detection box(const char* label, float x, float y, float width, float height) {
  reel::Detection detection{.score = 0.75F, .x = x, .y = y, .width = width, .height = height};
  detection.set_label(label);
  return detection;
}

inline reel::FrameInfo times() {
  reel::FrameInfo info;
  info.pts_ns = 5'233'000'000;
  info.dts_ns = 5'200'000'000;
  info.duration_ns = 33'000'000;
  info.capture_ns = 77;
  info.flags = reel::kKeyFrame | reel::kDiscont;
  return info;
}

inline void expect_times(const reel::Frame& frame) {
  EXPECT_EQ(frame.info().pts_ns, 5'233'000'000);
  EXPECT_EQ(frame.info().dts_ns, 5'200'000'000);
  EXPECT_EQ(frame.info().duration_ns, 33'000'000);
  EXPECT_EQ(frame.info().capture_ns, 77);
  EXPECT_EQ(frame.info().flags, reel::kKeyFrame | reel::kDiscont);
}

/// The JSON of the first entry of that name; null where there is none.
inline nlohmann::json json_of(const reel::Frame& frame, std::string_view name) {
  for (const auto& entry : frame.side_data())
    if (entry.type == reel::SideDataType::json && entry.name == name)
      return nlohmann::json::parse(reinterpret_cast<const char*>(entry.data.data()),
                                   reinterpret_cast<const char*>(entry.data.data() + entry.data.size()));
  return nullptr;
}

/// Of all entries, or of those of that name.
inline std::vector<reel::Detection> detections_of(const reel::Frame& frame, std::string_view name = {}) {
  std::vector<reel::Detection> all;
  for (const auto& entry : frame.side_data()) {
    if (!name.empty() && entry.name != name) continue;
    const auto found = reel::SideDataView::detections(entry);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

class Filter : public ::testing::Test {
 protected:
  using Boxes = std::vector<reel::Detection>;

  /// `ports`: those of the stage's inputs that get a stream each; writers_ has them in that order.
  void start_with(const std::string& plugin, const std::vector<std::string>& ports,
                  const reel::Format& format, const std::map<std::string, std::string>& options = {},
                  std::uint32_t side_data_bytes = 4096) {
    reel::StageSetup setup;
    setup.name = "filter";
    setup.plugin = plugin;
    setup.options = reel_test::options(options);
    setup.join = join_;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const std::string stream = i == 0 ? in_ : reel_test::unique_name("in");
      const std::string name = "filter" + std::to_string(i);
      reel::WriterOptions writer;
      writer.wait_for = {name};
      writers_.emplace_back(stream, format, writer);
      reel::ReaderOptions reader;
      reader.name = name;
      reader.policy = reel::Policy::lossless;
      setup.inputs.push_back({ports[i], stream, reader});
    }
    reel::WriterOptions out;
    out.wait_for = {"test"};
    out.side_data_bytes = side_data_bytes;
    setup.outputs = {{"out", out_, out}};
    stage_.emplace(setup);
    reel::ReaderOptions test;
    test.name = "test";
    test.policy = reel::Policy::lossless;
    reader_.emplace(out_, test);
    writer_ = &writers_.front();
  }
  void start(const std::string& plugin, const reel::Format& format,
             const std::map<std::string, std::string>& options = {}, std::uint32_t side_data_bytes = 4096) {
    start_with(plugin, {"in"}, format, options, side_data_bytes);
  }
  /// For another start() in the same test. REQUIRES: finish().
  void begin_anew() {
    writers_.clear();
    in_ = reel_test::unique_name("in");
    out_ = reel_test::unique_name("out");
    reader_.reset();
    stage_.reset();
  }
  /// Publishes `bgr` in the writer's pixel format.
  static void send_to(reel::FrameWriter& writer, const cv::Mat& bgr, const reel::FrameInfo& info = {},
                      const Boxes& boxes = {}, bool padded = false) {
    reel::Loan loan;
    const reel::VideoLayout layout =
        padded ? padded_layout(*writer.format().video()) : reel::default_layout(*writer.format().video());
    ASSERT_EQ(reel::to_string(writer.acquire(loan, layout.bytes)), "ok") << writer.error();
    ASSERT_TRUE(loan.set_layout(layout));
    reel::from_bgr(bgr, loan);
    if (!boxes.empty()) {
      ASSERT_TRUE(loan.side_data().add_detections("test", boxes));
      ASSERT_TRUE(loan.side_data().add_json("test", R"({"said":1})"));
    }
    ASSERT_EQ(reel::to_string(writer.publish(std::move(loan), info)), "ok") << writer.error();
  }
  void send(const cv::Mat& bgr, const reel::FrameInfo& info = {}, const Boxes& boxes = {}) {
    send_to(*writer_, bgr, info, boxes);
  }
  reel::Frame next() {
    reel::Frame frame;
    EXPECT_EQ(reel::to_string(reader_->read(frame, 60'000)), "frame") << reader_->error();
    return frame;
  }
  void expect_end() {
    reel::Frame frame;
    EXPECT_EQ(reel::to_string(reader_->read(frame, 60'000)), "ended");
    stage_->join();
  }
  /// Ends the inputs and sees the end pass through.
  void finish() {
    for (reel::FrameWriter& writer : writers_) writer.end();
    expect_end();
  }
  static Boxes detections(const reel::Frame& frame) { return detections_of(frame); }

  reel_test::TempRuntimeDir directory_;
  std::string in_ = reel_test::unique_name("in");
  std::string out_ = reel_test::unique_name("out");
  std::vector<reel::FrameWriter> writers_;
  reel::FrameWriter* writer_ = nullptr;  // the first
  std::optional<reel::JoinRule> join_;   // of the stage that start_with() starts
  std::optional<reel::FrameReader> reader_;
  std::optional<reel_test::RunningStage> stage_;
};

/// A name of a parametrised case: the pixel format's.
inline std::string pixel_name(const ::testing::TestParamInfo<reel::PixelFormat>& info) {
  return std::string(reel::to_string(info.param));
}
