// What every filter with one input owes: any pixel format, odd sizes, padded strides, changes in the middle,
// and all that was said about the picture.
#include "filter_fixture.hpp"

#include <ostream>

namespace {

using namespace reel;

struct Case {
  const char* name;
  const char* plugin;
  std::map<std::string, std::string> options;
  bool keeps_boxes = true;
  bool keeps_pixel = true;
  friend std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }
};

const Case kCases[] = {
    {"FlipHorizontal", "opencv.flip", {}},
    {"FlipVertical", "opencv.flip", {{"direction", "vertical"}}},
    {"FlipBoth", "opencv.flip", {{"direction", "both"}}},
    {"Crop", "opencv.crop", {{"x", "1"}, {"y", "1"}}},
    {"Blur", "opencv.blur", {}},
    {"BlurBox", "opencv.blur", {{"kind", "box"}, {"radius", "3"}}},
    {"BlurBoxes", "opencv.blur", {{"boxes", "true"}}},
    {"Edges", "opencv.edges", {{"format", "same"}}},
    {"Motion", "opencv.motion", {{"zones", "door 0 0 0.5 0.5"}}},
    {"Foreground", "opencv.background", {{"colour", "#5b5b5b"}}},
    {"Mask", "opencv.background", {{"show", "mask"}}, true, false},
    {"Background", "opencv.background", {{"show", "background"}}},
    {"People", "opencv.people", {}},
#if REEL_HAVE_QR
    {"Qr", "opencv.qr", {}},
#endif
    {"Dnn", "opencv.dnn", {{"model", REEL_TEST_MEDIA "/blazeface.yaml"}}},
};

class EveryFilter : public Filter, public ::testing::WithParamInterface<Case> {};

TEST_P(EveryFilter, TakesEveryFormatOddSizesPaddedStridesAndChangesInTheMiddle) {
  start(GetParam().plugin, VideoFormat{PixelFormat::I420, 65, 33, {30, 1}}, GetParam().options);
  for (const PixelFormat pixel : all_pixel_formats()) {
    for (const cv::Size size : {cv::Size(65, 33), cv::Size(97, 131), cv::Size(3, 5)}) {
      SCOPED_TRACE(std::string(to_string(pixel)) + " " + std::to_string(size.width));
      writer_->set_format(VideoFormat{
          pixel, static_cast<std::uint32_t>(size.width), static_cast<std::uint32_t>(size.height), {30, 1}});
      send_to(*writer_, cv::Mat(size, CV_8UC3, cv::Scalar::all(91)), times(), {box("face", 2, 2, 1, 2)},
              true);
      const Frame frame = next();
      ASSERT_TRUE(frame);
      ASSERT_NE(frame.format().video(), nullptr);
      EXPECT_EQ(frame.format().video()->pixel, GetParam().keeps_pixel ? pixel : PixelFormat::GRAY8);
      if (std::string(GetParam().name) != "Crop") {
        EXPECT_EQ(frame.format().video()->width, size.width);
        EXPECT_EQ(frame.format().video()->height, size.height);
      }
      EXPECT_TRUE(frame.verified());
      expect_times(frame);
      EXPECT_EQ(detections_of(frame, "test").size(), 1U);
      EXPECT_EQ(json_of(frame, "test"), nlohmann::json({{"said", 1}}));
      const std::string name = GetParam().name;
      const bool another_picture = name == "Edges" || name == "Mask";
      const cv::Mat picture = to_bgr(frame);
      EXPECT_LE(cv::norm(picture, cv::Mat(picture.size(), CV_8UC3, cv::Scalar::all(another_picture ? 0 : 91)),
                         cv::NORM_INF),
                3);
    }
  }
  finish();
}

// Smaller than any kernel, cell or step to scale by; wider than any picture of a camera.
TEST_P(EveryFilter, TakesPicturesOfOnePixelOneRowAndOneColumn) {
  const bool crops = std::string(GetParam().name) == "Crop";  // it is asked for what lies beyond the first
  std::map<std::string, std::string> options = GetParam().options;
  if (crops) options = {{"width", "1"}};
  start(GetParam().plugin, VideoFormat{PixelFormat::I420, 1, 1, {30, 1}}, options);
  for (const PixelFormat pixel : all_pixel_formats()) {
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(41, 1), cv::Size(1, 41), cv::Size(32768, 2)}) {
      SCOPED_TRACE(std::string(to_string(pixel)) + " " + std::to_string(size.width) + " x " +
                   std::to_string(size.height));
      writer_->set_format(VideoFormat{
          pixel, static_cast<std::uint32_t>(size.width), static_cast<std::uint32_t>(size.height), {30, 1}});
      send_to(*writer_, cv::Mat(size, CV_8UC3, cv::Scalar::all(91)), times(), {box("face", 0, 0, 1, 1)},
              true);
      const Frame frame = next();
      ASSERT_TRUE(frame);
      EXPECT_EQ(frame.format().video()->width, crops ? 1 : size.width);
      EXPECT_EQ(frame.format().video()->height, size.height);
      EXPECT_TRUE(frame.verified());
      EXPECT_EQ(detections_of(frame, "test").size(), 1U);
    }
  }
  finish();
}

TEST_P(EveryFilter, PassesSegmentsTagsGapsAndEventsOn) {
  start(GetParam().plugin, VideoFormat{PixelFormat::NV12, 64, 48, {30, 1}}, GetParam().options);
  Segment segment;
  segment.start_ns = 30'000'000'000;
  writer_->set_segment(segment);
  writer_->set_tags("title=test");
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(9)));
  {
    const Frame frame = next();
    ASSERT_NE(frame.segment(), nullptr);
    EXPECT_EQ(*frame.segment(), segment);
    ASSERT_NE(frame.tags(), nullptr);
    EXPECT_EQ(*frame.tags(), "title=test");
  }
  ASSERT_EQ(writer_->write_gap(7, 8), WriteStatus::ok);
  ASSERT_EQ(writer_->write_event("marker", 9), WriteStatus::ok);
  {
    const Frame gap = next();
    EXPECT_EQ(gap.info().kind, FrameKind::gap);
    EXPECT_EQ(gap.info().pts_ns, 7);
    EXPECT_EQ(gap.info().duration_ns, 8);
  }
  {
    const Frame event = next();
    EXPECT_EQ(event.info().kind, FrameKind::event);
    EXPECT_EQ(event.data().size(), 6U);
  }
  finish();
}

TEST_P(EveryFilter, PassesPicturesOnWhereSideDataDoesNotFit) {
  start(GetParam().plugin, VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, GetParam().options, 8);
  for (int i = 0; i < 3; ++i) {
    send(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(9)), {}, {box("face", 2, 2, 9, 9)});
    const Frame frame = next();
    EXPECT_TRUE(detections_of(frame).empty());
  }
  finish();
}

INSTANTIATE_TEST_SUITE_P(All, EveryFilter, ::testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
