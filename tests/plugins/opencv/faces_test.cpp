// opencv.faces: the search itself, and on frames of the carried clip.
#include "face_search.hpp"
#include "filter_fixture.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <opencv2/videoio.hpp>
#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;

// Where the face is all through apps/media/hello.mp4, loosely: the webcam's part of the screencast.
const cv::Rect2f kWebcam(114, 83, 253, 190);

std::vector<cv::Mat> clip_frames(int every, int count) {
  cv::VideoCapture clip(REEL_TEST_CLIP);
  std::vector<cv::Mat> frames;
  cv::Mat frame;
  for (int i = 0; static_cast<int>(frames.size()) < count && clip.read(frame); ++i)
    if (i % every == 0) frames.push_back(frame.clone());
  return frames;
}

TEST(FaceSearch, LooksAtEveryPixelInSquaresThatOverlap) {
  for (const cv::Size size : {cv::Size(1280, 720), cv::Size(720, 1280), cv::Size(3840, 2160),
                              cv::Size(641, 479), cv::Size(500, 500)}) {
    const auto places = search_places(size);
    EXPECT_EQ(places.front(), cv::Rect({0, 0}, size));
    ASSERT_GT(places.size(), 1U);
    cv::Mat seen(size, CV_8U, cv::Scalar(0));
    for (std::size_t i = 1; i < places.size(); ++i) {
      EXPECT_EQ(places[i] & cv::Rect({0, 0}, size), places[i]);
      EXPECT_EQ(places[i].width, places[i].height);
      seen(places[i]).setTo(1);
    }
    EXPECT_EQ(cv::countNonZero(seen), size.area());
  }
}

TEST(FaceSearch, TakesASmallPictureWhole) {
  EXPECT_EQ(search_places({160, 120}).size(), 1U);
  EXPECT_EQ(search_places({1, 1}).size(), 1U);
}

TEST(MergeOverlapping, WeighsBoxesByScore) {
  const auto merged = merge_overlapping({{cv::Rect2f(0, 0, 10, 10), 0.5F},
                                         {cv::Rect2f(1, 0, 10, 10), 0.9F},
                                         {cv::Rect2f(50, 50, 9, 9), 0.7F},
                                         {cv::Rect2f(3, 3, 0, 0), 0.8F}},
                                        0.3F);
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_FLOAT_EQ(merged[0].score, 0.9F);
  EXPECT_NEAR(merged[0].box.x, 0.9 / 1.4, 1e-4);
  EXPECT_FLOAT_EQ(merged[1].box.x, 50);
}

class OpencvFaces : public Filter {};

TEST_F(OpencvFaces, FindsTheFaceInTheClipAndPassesThePictureOnUntouched) {
  const auto frames = clip_frames(25, 8);
  ASSERT_EQ(frames.size(), 8U);
  start("opencv.faces", VideoFormat{PixelFormat::I420, 1280, 720, {30, 1}},
        {{"looks", "0"}, {"label", "someone"}});
  for (const cv::Mat& picture : frames) {
    send(picture);
    const Frame frame = next();
    const auto found = detections(frame);
    ASSERT_EQ(found.size(), 1U) << "frame " << frame.sequence();
    const cv::Rect2f box(found[0].x, found[0].y, found[0].width, found[0].height);
    EXPECT_EQ(box & kWebcam, box) << box;
    EXPECT_TRUE(box.contains({230, 180})) << box;
    EXPECT_GT(box.width, 40);
    EXPECT_GE(found[0].score, 0.6F);
    EXPECT_EQ(found[0].label_text(), "someone");
    EXPECT_EQ(frame.format().video()->pixel, PixelFormat::I420);
    // Sharp colours of the screencast lose a little in I420.
    EXPECT_LT(cv::norm(to_bgr(frame), picture, cv::NORM_L1) / static_cast<double>(picture.total() * 3), 4);
  }
  finish();
}

TEST_F(OpencvFaces, FindsTheFaceInTurnAndKeepsIt) {
  const auto frames = clip_frames(1, 12);
  ASSERT_EQ(frames.size(), 12U);
  start("opencv.faces", VideoFormat{PixelFormat::NV12, 1280, 720, {30, 1}});
  bool found = false;
  for (const cv::Mat& picture : frames) {
    send(picture);
    const Frame frame = next();
    if (found) {
      EXPECT_EQ(detections(frame).size(), 1U) << "lost in frame " << frame.sequence();
    }
    found = found || !detections(frame).empty();
    if (frame.sequence() == 4) {
      EXPECT_TRUE(found) << "all places were looked at by now";
    }
  }
  finish();
}

TEST_F(OpencvFaces, FindsNothingInAPlainPicture) {
  start("opencv.faces", VideoFormat{PixelFormat::RGB, 640, 360, {30, 1}}, {{"looks", "0"}});
  send(cv::Mat(360, 640, CV_8UC3, cv::Scalar(90, 120, 60)), {}, {});
  EXPECT_TRUE(next().side_data().empty());
  finish();
}

TEST_F(OpencvFaces, CarriesTheLastBoxesBetweenSearches) {
  const auto frames = clip_frames(1, 1);
  ASSERT_EQ(frames.size(), 1U);
  start("opencv.faces", VideoFormat{PixelFormat::BGR, 1280, 720, {30, 1}}, {{"looks", "0"}, {"every", "3"}});
  const cv::Mat plain(720, 1280, CV_8UC3, cv::Scalar(90, 120, 60));
  for (const cv::Mat& picture : {frames[0], plain, plain, plain}) send(picture);
  for (const std::size_t expected : {1U, 1U, 1U, 0U}) EXPECT_EQ(detections(next()).size(), expected);
  finish();
}

TEST_F(OpencvFaces, NamesAModelThatIsMissingOrNoModel) {
  for (const auto& [model, code] :
       {std::pair{"/nowhere/face.onnx", ErrorCode::not_found}, {"/proc/self/exe", ErrorCode::bad_config}}) {
    start("opencv.faces", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"model", model}});
    reel_test::expect_error(code, {model}, [&] { stage_->join(); });
    reader_.reset();
    stage_.reset();
    writers_.clear();
  }
}

}  // namespace
