// opencv.qr reads codes that OpenCV's own encoder made.
#include "filter_fixture.hpp"

#include <set>

#include <opencv2/objdetect.hpp>

namespace {

using namespace reel;

constexpr const char* kText = "https://example.org/reel?camera=door&floor=2";  // longer than a label

/// The code in the middle of a light field of `size`.
cv::Mat picture_of(const std::string& text, cv::Size size) {
  cv::Mat code, large, bgr(size, CV_8UC3, cv::Scalar::all(230));
  cv::QRCodeEncoder::create()->encode(text, code);
  cv::resize(code, large, {}, 5, 5, cv::INTER_NEAREST);
  cv::cvtColor(large, large, cv::COLOR_GRAY2BGR);
  large.copyTo(bgr(cv::Rect({(size.width - large.cols) / 2, (size.height - large.rows) / 2}, large.size())));
  return bgr;
}

class Qr : public Filter, public ::testing::WithParamInterface<PixelFormat> {};

TEST_P(Qr, IsReadWithItsTextAndPlace) {
  start("opencv.qr", VideoFormat{GetParam(), 321, 241, {30, 1}});
  send_to(*writer_, picture_of(kText, {321, 241}), times(), {box("face", 1, 2, 3, 4)}, true);
  const Frame frame = next();
  expect_times(frame);
  const Boxes found = detections_of(frame, "opencv.qr");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_text(), std::string(kText).substr(0, 31)) << "as much as a label holds";
  EXPECT_EQ(found[0].track_id, 1U);
  EXPECT_NEAR(found[0].x + found[0].width / 2, 160, 6);
  EXPECT_NEAR(found[0].y + found[0].height / 2, 120, 6);
  EXPECT_GT(found[0].width, 80);
  EXPECT_EQ(json_of(frame, "opencv.qr"), nlohmann::json({{"codes", {{{"id", 1}, {"text", kText}}}}}));
  EXPECT_EQ(detections_of(frame, "test").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, Qr, ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

class Codes : public Filter {};

TEST_F(Codes, AreAllReadAndForgottenWhenTheyAreGone) {
  cv::Mat both;
  cv::hconcat(picture_of("left", {240, 240}), picture_of("right", {240, 240}), both);
  start("opencv.qr", VideoFormat{PixelFormat::GRAY8, 480, 240, {30, 1}}, {{"every", "2"}});
  send(both);
  std::set<std::string> texts;
  const auto said = json_of(next(), "opencv.qr");
  for (const auto& code : said["codes"]) texts.insert(code["text"]);
  EXPECT_EQ(texts, (std::set<std::string>{"left", "right"}));
  send(cv::Mat(240, 480, CV_8UC3, cv::Scalar::all(230)));
  EXPECT_EQ(detections(next()).size(), 2U) << "carried on between searches";
  send(cv::Mat(240, 480, CV_8UC3, cv::Scalar::all(230)));
  const Frame frame = next();
  EXPECT_TRUE(detections(frame).empty());
  EXPECT_TRUE(json_of(frame, "opencv.qr").is_null());
}

}  // namespace
