// opencv.flip and opencv.crop: where pixels and boxes go.
#include "filter_fixture.hpp"

#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;

/// Blocks of 8 x 8 pixels, each of its own colour: what went where shows, halved chroma or not.
cv::Mat blocks(int width, int height) {
  cv::Mat small((height + 7) / 8, (width + 7) / 8, CV_8UC3), large;
  cv::RNG random(7);
  random.fill(small, cv::RNG::UNIFORM, 40, 220);
  cv::resize(small, large, {}, 8, 8, cv::INTER_NEAREST);
  return large(cv::Rect(0, 0, width, height)).clone();
}

/// As it looks once it was in that pixel format.
cv::Mat there_and_back(const cv::Mat& bgr, PixelFormat pixel) {
  const VideoFormat video{
      pixel, static_cast<std::uint32_t>(bgr.cols), static_cast<std::uint32_t>(bgr.rows), {30, 1}};
  const VideoLayout layout = default_layout(video);
  std::vector<std::byte> place(layout.bytes);
  opencv_detail::Planes planes = opencv_detail::planes_of(video, layout, place.data());
  opencv_detail::bgr_to_planes(bgr, planes);
  cv::Mat back;
  to_bgr(video, layout, place, back);
  return back;
}

/// Share of values that are more than a few off.
double off(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat difference;
  cv::absdiff(a, b, difference);
  return cv::countNonZero(difference.reshape(1) > 4) / static_cast<double>(difference.total() * 3);
}

class Geometry : public Filter, public ::testing::WithParamInterface<PixelFormat> {};

TEST_P(Geometry, IsMirroredByFlipWithItsBoxes) {
  const cv::Mat picture = blocks(65, 33);
  for (const auto& [direction, code] :
       {std::pair("horizontal", 1), std::pair("vertical", 0), std::pair("both", -1)}) {
    SCOPED_TRACE(direction);
    writers_.clear();
    reader_.reset();
    stage_.reset();
    in_ = reel_test::unique_name("in");
    out_ = reel_test::unique_name("out");
    start("opencv.flip", VideoFormat{GetParam(), 65, 33, {30, 1}}, {{"direction", direction}});
    send_to(*writer_, picture, times(), {box("face", 10, 11, 12, 13)}, true);
    {
      const Frame frame = next();
      cv::Mat mirrored;
      cv::flip(there_and_back(picture, GetParam()), mirrored, code);
      // An odd width puts chroma that two pixels share under the next pair: one column in two at each edge.
      EXPECT_LT(off(to_bgr(frame), mirrored), frame.plane_count() > 1 || code != 0 ? 0.25 : 0.0001);
      cv::Mat luma, wanted;
      cv::cvtColor(to_bgr(frame), luma, cv::COLOR_BGR2GRAY);
      cv::cvtColor(mirrored, wanted, cv::COLOR_BGR2GRAY);
      EXPECT_LT(cv::norm(luma, wanted, cv::NORM_L1) / static_cast<double>(luma.total()), 4);
      ASSERT_EQ(detections(frame).size(), 1U);
      EXPECT_FLOAT_EQ(detections(frame)[0].x, code != 0 ? 65 - 10 - 12 : 10);
      EXPECT_FLOAT_EQ(detections(frame)[0].y, code != 1 ? 33 - 11 - 13 : 11);
      EXPECT_FLOAT_EQ(detections(frame)[0].width, 12);
    }
    finish();
  }
}

TEST_P(Geometry, IsExactlyThatPartAfterCrop) {
  const cv::Mat picture = blocks(65, 33);
  start("opencv.crop", VideoFormat{GetParam(), 65, 33, {25, 1}},
        {{"x", "8"}, {"y", "6"}, {"width", "31"}, {"height", "17"}});
  send_to(*writer_, picture, times(),
          {box("inside", 10, 11, 12, 9), box("cut", 0, 0, 20, 20), box("gone", 50, 6, 5, 5)}, true);
  const Frame frame = next();
  EXPECT_EQ(*frame.format().video(), (VideoFormat{GetParam(), 31, 17, {25, 1}}));
  const cv::Mat wanted = there_and_back(picture, GetParam())(cv::Rect(8, 6, 31, 17));
  EXPECT_LT(off(to_bgr(frame), wanted), 0.0001);
  ASSERT_EQ(detections(frame).size(), 2U);
  EXPECT_FLOAT_EQ(detections(frame)[0].x, 2);
  EXPECT_FLOAT_EQ(detections(frame)[0].y, 5);
  EXPECT_EQ(detections(frame)[1].label_text(), "cut");
  EXPECT_FLOAT_EQ(detections(frame)[1].x, 0);
  EXPECT_FLOAT_EQ(detections(frame)[1].width, 12);
  EXPECT_FLOAT_EQ(detections(frame)[1].height, 14);
  expect_times(frame);
}

TEST_P(Geometry, IsAsFarAsItGoesWhereCropAsksForMore) {
  const cv::Mat picture = blocks(65, 33);
  start("opencv.crop", VideoFormat{GetParam(), 65, 33, {30, 1}}, {{"x", "33"}, {"y", "9"}, {"width", "500"}});
  send(picture);
  const Frame frame = next();
  const VideoFormat& video = *frame.format().video();
  const bool rows =
      GetParam() == PixelFormat::I420 || GetParam() == PixelFormat::NV12 || GetParam() == PixelFormat::NV21;
  const bool columns = rows || GetParam() == PixelFormat::YUY2 || GetParam() == PixelFormat::UYVY;
  const cv::Rect part(cv::Point(columns ? 32 : 33, rows ? 8 : 9), cv::Point(65, 33));
  EXPECT_EQ(video.width, part.width);
  EXPECT_EQ(video.height, part.height);
  EXPECT_LT(off(to_bgr(frame), there_and_back(picture, GetParam())(part)), 0.0001);
}

INSTANTIATE_TEST_SUITE_P(All, Geometry,
                         ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

class OpencvCrop : public Filter {};

TEST_F(OpencvCrop, RefusesAPartOutsideThePictureWithBothSizes) {
  start("opencv.crop", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"x", "64"}});
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(9)));
  reel_test::expect_error(ErrorCode::bad_config, {"64, 0", "64 x 48", "`x`"}, [&] { stage_->join(); });
}

TEST_F(OpencvCrop, LeavesOutBoxesThatAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  start("opencv.crop", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"x", "2"}});
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(9)), {},
       {box("nan", nan, 1, 2, 3), box("inf", 10, -inf, 5, inf), box("thin", 9, 9, 0, 4)});
  EXPECT_TRUE(detections(next()).empty());
}

}  // namespace
