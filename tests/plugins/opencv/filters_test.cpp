// opencv.convert, opencv.resize and opencv.overlay between two streams.
#include "filter_fixture.hpp"

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;
using ::testing::HasSubstr;

class EveryPixelFormat : public Filter, public ::testing::WithParamInterface<PixelFormat> {};

TEST_P(EveryPixelFormat, IsMadeByConvertWithAllThatWasSaid) {
  start("opencv.convert", VideoFormat{PixelFormat::I420, 65, 33, {30, 1}},
        {{"format", std::string(to_string(GetParam()))}});
  send(cv::Mat(33, 65, CV_8UC3, cv::Scalar(91, 91, 91)), times(), {box("face", 1, 2, 3, 4)});
  const Frame frame = next();
  EXPECT_EQ(*frame.format().video(), (VideoFormat{GetParam(), 65, 33, {30, 1}}));
  EXPECT_LE(cv::norm(to_bgr(frame), cv::Mat(33, 65, CV_8UC3, cv::Scalar(91, 91, 91)), cv::NORM_INF), 3);
  expect_times(frame);
  ASSERT_EQ(detections(frame).size(), 1U);
  EXPECT_EQ(detections(frame)[0].width, 3);
  finish();
}

TEST_P(EveryPixelFormat, IsKeptByResizeWhichScalesBoxes) {
  start("opencv.resize", VideoFormat{GetParam(), 65, 33, {30, 1}}, {{"width", "130"}});
  send(cv::Mat(33, 65, CV_8UC3, cv::Scalar(91, 91, 91)), times(), {box("face", 10, 11, 12, 13)});
  const Frame frame = next();
  EXPECT_EQ(*frame.format().video(), (VideoFormat{GetParam(), 130, 66, {30, 1}}));
  EXPECT_LE(cv::norm(to_bgr(frame), cv::Mat(66, 130, CV_8UC3, cv::Scalar(91, 91, 91)), cv::NORM_INF), 3);
  expect_times(frame);
  ASSERT_EQ(detections(frame).size(), 1U);
  EXPECT_FLOAT_EQ(detections(frame)[0].x, 20);
  EXPECT_FLOAT_EQ(detections(frame)[0].height, 26);
  EXPECT_EQ(detections(frame)[0].label_text(), "face");
  finish();
}

TEST_P(EveryPixelFormat, IsDrawnOnByOverlay) {
  start("opencv.overlay", VideoFormat{GetParam(), 161, 121, {30, 1}}, {{"time", "false"}});
  send(cv::Mat(121, 161, CV_8UC3, cv::Scalar(91, 91, 91)), times(), {box("face", 40, 50, 60, 40)});
  const Frame frame = next();
  EXPECT_EQ(frame.format().video()->pixel, PixelFormat::BGR);
  const ReadView picture = read_view(frame);
  const cv::Vec3b edge = picture.at<cv::Vec3b>(70, 40);
  EXPECT_GT(edge[1], edge[2] + 60) << "the box is green";
  EXPECT_NEAR(picture.at<cv::Vec3b>(70, 70)[1], 91, 3) << "nothing is drawn within the box";
  ASSERT_EQ(detections(frame).size(), 1U) << "side data goes on";
  finish();
}

INSTANTIATE_TEST_SUITE_P(All, EveryPixelFormat,
                         ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

class OpencvOverlay : public Filter {};

TEST_F(OpencvOverlay, KeepsThePixelFormatWhenAsked) {
  start("opencv.overlay", VideoFormat{PixelFormat::NV12, 320, 240, {30, 1}}, {{"format", "same"}});
  send(cv::Mat(240, 320, CV_8UC3, cv::Scalar(91, 91, 91)), times(), {box("face", 100, 100, 60, 40)});
  const Frame frame = next();
  EXPECT_EQ(frame.format().video()->pixel, PixelFormat::NV12);
  const cv::Mat picture = to_bgr(frame);
  EXPECT_LT(picture.at<cv::Vec3b>(230, 20)[0], 60) << "the time's dark plate";
  EXPECT_NEAR(picture.at<cv::Vec3b>(20, 20)[0], 91, 3);
  finish();
}

TEST_F(OpencvOverlay, SurvivesBoxesThatAreNoPartOfThePicture) {
  start("opencv.overlay", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}});
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar(9, 9, 9)), times(),
       {box("face", nan, 1, 2, 3), box("x", inf, -inf, 1, 1), box("far", 1e30F, 1, 1, 1),
        box("out", -500, -500, 20, 20), box("large", -900, -900, 5000, 5000), box("neg", 20, 20, -10, -10),
        box("\xC3\xA9t\xC3\xA9", 60, 40, 50, 50)});
  EXPECT_TRUE(next());
  finish();
}

class OpencvResize : public Filter {};

TEST_F(OpencvResize, RefusesToGuessASize) {
  start("opencv.resize", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}});
  reel_test::expect_error(ErrorCode::bad_config, {"width", "height"}, [&] { stage_->join(); });
  writer_->end();
}

class OpencvConvert : public Filter {};

TEST_F(OpencvConvert, RefusesSoundNamingStreamAndCaps) {
  start("opencv.convert", AudioFormat{SampleFormat::S16LE, 48'000, 1});
  ASSERT_EQ(writer_->write(std::vector<std::byte>(960)), WriteStatus::ok);
  try {
    stage_->join();
    ADD_FAILURE() << "sound was taken for pictures";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(in_));
  }
  writer_->end();
}

TEST_F(OpencvConvert, PassesSegmentsTagsAndGapsOn) {
  start("opencv.convert", VideoFormat{PixelFormat::I420, 64, 48, {30, 1}});
  Segment segment;
  segment.start_ns = 30'000'000'000;
  writer_->set_segment(segment);
  writer_->set_tags("title=test");
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar(9, 9, 9)));
  Frame frame = next();
  ASSERT_NE(frame.segment(), nullptr);
  EXPECT_EQ(*frame.segment(), segment);
  ASSERT_NE(frame.tags(), nullptr);
  EXPECT_EQ(*frame.tags(), "title=test");
  ASSERT_EQ(writer_->write_gap(7, 8), WriteStatus::ok);
  frame = next();
  EXPECT_EQ(frame.info().kind, FrameKind::gap);
  EXPECT_EQ(frame.info().pts_ns, 7);
  frame.release();
  finish();
}

}  // namespace
