// opencv.blur and opencv.edges: what they make of a square.
#include "filter_fixture.hpp"

#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;

cv::Mat square() {
  cv::Mat picture(96, 128, CV_8UC3, cv::Scalar::all(60));
  cv::rectangle(picture, cv::Rect(40, 24, 48, 48), cv::Scalar(40, 60, 200), cv::FILLED);
  return picture;
}

class Square : public Filter, public ::testing::WithParamInterface<PixelFormat> {};

TEST_P(Square, IsSoftAtItsEdgesAfterBlur) {
  for (const char* kind : {"gaussian", "box"}) {
    writers_.clear();
    in_ = reel_test::unique_name("in");
    out_ = reel_test::unique_name("out");
    reader_.reset();
    stage_.reset();
    start("opencv.blur", VideoFormat{GetParam(), 128, 96, {30, 1}}, {{"radius", "6"}, {"kind", kind}});
    send_to(*writer_, square(), times(), {}, true);
    {
      const cv::Mat picture = to_bgr(next());
      const int inside = picture.at<cv::Vec3b>(48, 64)[2], outside = picture.at<cv::Vec3b>(48, 8)[2];
      const int edge = picture.at<cv::Vec3b>(48, 40)[2];
      EXPECT_GT(inside, outside + 20);
      EXPECT_GT(edge, outside + (inside - outside) / 5) << kind;
      EXPECT_LT(edge, inside - (inside - outside) / 5) << kind;
      EXPECT_LE(std::abs(picture.at<cv::Vec3b>(48, 8)[0] - 60), 3) << "far from the square nothing changes";
    }
    finish();
  }
}

TEST_P(Square, IsBlurredWithinBoxesOnlyWhenAsked) {
  start("opencv.blur", VideoFormat{GetParam(), 128, 96, {30, 1}},
        {{"radius", "6"}, {"boxes", "true"}, {"label", "face"}});
  send_to(*writer_, square(), times(), {box("face", 30, 10, 20, 40), box("car", 78, 10, 20, 40)}, true);
  const Frame frame = next();
  const cv::Mat picture = to_bgr(frame);
  const auto red = [&picture](int x, int y) { return static_cast<int>(picture.at<cv::Vec3b>(y, x)[2]); };
  EXPECT_GT(red(38, 40), red(8, 40) + 5) << "soft within the face's box";
  EXPECT_LE(red(38, 64), red(8, 40) + 5) << "sharp below it";
  EXPECT_LE(red(89, 40), red(8, 40) + 5) << "and in the other box";
  EXPECT_EQ(detections(frame).size(), 2U);
}

TEST_P(Square, HasItsOutlineInEdges) {
  start("opencv.edges", VideoFormat{GetParam(), 128, 96, {30, 1}}, {{"low", "20"}, {"high", "60"}});
  send_to(*writer_, square(), times(), {}, true);
  const Frame frame = next();
  EXPECT_EQ(frame.format().video()->pixel, PixelFormat::GRAY8);
  const ReadView edges = read_view(frame);
  const auto near = [&edges](int x, int y) {
    return cv::countNonZero(edges.clone()(cv::Rect(x - 2, y - 2, 5, 5))) > 0;
  };
  EXPECT_TRUE(near(40, 48) && near(88, 48) && near(64, 24) && near(64, 72));
  EXPECT_FALSE(near(64, 48) || near(10, 10) || near(110, 80));
}

INSTANTIATE_TEST_SUITE_P(All, Square,
                         ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

class OpencvBlur : public Filter {};

TEST_F(OpencvBlur, SurvivesBoxesThatAreNoPartOfThePicture) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  start("opencv.blur", VideoFormat{PixelFormat::YUY2, 65, 47, {30, 1}}, {{"boxes", "true"}});
  send(cv::Mat(47, 65, CV_8UC3, cv::Scalar::all(9)), {},
       {box("a", nan, 1, 2, 3), box("b", inf, -inf, 1, 1), box("c", 1e30F, 1, 1, 1),
        box("d", -500, -500, 20, 20), box("e", -900, -900, 5000, 5000), box("f", 20, 20, -10, -10),
        box("g", 64, 46, 1, 1)});
  EXPECT_TRUE(next());
  finish();
}

TEST_F(OpencvBlur, RefusesALabelWithoutBoxes) {
  start("opencv.blur", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"label", "face"}});
  reel_test::expect_error(ErrorCode::bad_config, {"face", "boxes: true"}, [&] { stage_->join(); });
}

class OpencvEdges : public Filter {};

TEST_F(OpencvEdges, RefusesALowThresholdAboveTheHighOne) {
  start("opencv.edges", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"low", "300"}});
  reel_test::expect_error(ErrorCode::bad_config, {"300", "150", "low must not be above high"},
                          [&] { stage_->join(); });
}

}  // namespace
