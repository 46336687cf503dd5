// opencv.motion and opencv.background on a square that moves before a picture that does not.
#include "filter_fixture.hpp"

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;
using ::testing::HasSubstr;

constexpr int kWidth = 160, kHeight = 120;
const VideoFormat kVideo{PixelFormat::I420, kWidth, kHeight, {30, 1}};

/// Stripes; a square of 24 pixels with its corner at `corner`, none for a negative one.
cv::Mat scene(cv::Point corner) {
  cv::Mat picture(kHeight, kWidth, CV_8UC3);
  for (int x = 0; x < kWidth; ++x) picture.col(x).setTo(cv::Scalar::all(60 + x / 20 * 8));
  if (corner.x >= 0)
    cv::rectangle(picture, cv::Rect(corner, cv::Size(24, 24)), cv::Scalar(30, 220, 240), cv::FILLED);
  return picture;
}

class Moving : public Filter {
 protected:
  /// Sends `still` pictures in which nothing moves, then one with the square; returns what came of that.
  Frame after_square(cv::Point corner, int still = 40) {
    for (int i = 0; i < still; ++i) {
      send(scene({-1, 0}));
      const Frame frame = next();
      if (const auto motion = frame.side_data().motion()) {
        EXPECT_EQ(motion->score, 0) << "frame " << i;
      }
    }
    send(scene(corner), times(), {box("face", 1, 2, 3, 4)});
    return next();
  }
};

TEST_F(Moving, IsFoundWithScoreAndBoxInThePicturesOwnPixels) {
  for (const char* width : {"0", "80"}) {
    writers_.clear();
    in_ = reel_test::unique_name("in");
    out_ = reel_test::unique_name("out");
    reader_.reset();
    stage_.reset();
    start("opencv.motion", kVideo, {{"width", width}});
    {
      const Frame frame = after_square({100, 40});
      const auto motion = frame.side_data().motion();
      ASSERT_TRUE(motion);
      EXPECT_NEAR(motion->score, 24.0 * 24 / (kWidth * kHeight), 0.01) << width;
      const Boxes found = detections_of(frame, "opencv.motion");
      ASSERT_EQ(found.size(), 1U) << width;
      EXPECT_NEAR(found[0].x, 100, 4);
      EXPECT_NEAR(found[0].y, 40, 4);
      EXPECT_NEAR(found[0].width, 24, 6);
      EXPECT_NEAR(found[0].height, 24, 6);
      EXPECT_EQ(found[0].label_text(), "motion");
      EXPECT_EQ(detections_of(frame, "test").size(), 1U);
      EXPECT_TRUE(json_of(frame, "opencv.motion").is_null()) << "there are no zones";
      expect_times(frame);
    }
    finish();
  }
}

TEST_F(Moving, CountsInItsZonesOnly) {
  start("opencv.motion", kVideo, {{"zones", "left 0 0 0.5 1, corner 1 0 1 1 0.5 0.5"}, {"width", "0"}});
  const Frame frame = after_square({130, 50});
  const auto zones = json_of(frame, "opencv.motion")["zones"];
  EXPECT_EQ(zones["left"], 0);
  EXPECT_NEAR(zones["corner"].get<double>(), 24.0 * 24 / (kWidth * kHeight / 4.0), 0.03);
  const Boxes found = detections_of(frame, "opencv.motion");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_text(), "corner");
  EXPECT_NEAR(frame.side_data().motion()->score, 24.0 * 24 / (kWidth * kHeight * 0.75), 0.01);
}

TEST_F(Moving, IsNothingOutsideOfEveryZone) {
  start("opencv.motion", kVideo, {{"zones", "left 0 0 0.5 1"}});
  const Frame frame = after_square({130, 50});
  EXPECT_EQ(frame.side_data().motion()->score, 0);
  EXPECT_TRUE(detections_of(frame, "opencv.motion").empty());
}

TEST_F(Moving, IsToldOfSmallThingsBySensitivityAndMinArea) {
  start("opencv.motion", kVideo, {{"min_area", "0.5"}, {"width", "0"}});
  const Frame frame = after_square({100, 40});
  EXPECT_GT(frame.side_data().motion()->score, 0.02);
  EXPECT_TRUE(detections_of(frame, "opencv.motion").empty()) << "smaller than half of the picture";
}

TEST_F(Moving, FollowsSensitivity) {
  std::map<std::string, float> scores;
  for (const char* sensitivity : {"0", "1"}) {
    writers_.clear();
    in_ = reel_test::unique_name("in");
    out_ = reel_test::unique_name("out");
    reader_.reset();
    stage_.reset();
    start("opencv.motion", kVideo, {{"sensitivity", sensitivity}, {"width", "0"}});
    cv::Mat faint = scene({-1, 0});
    for (int i = 0; i < 40; ++i) {
      send(scene({-1, 0}));
      (void)next();
    }
    faint(cv::Rect(40, 40, 40, 40)) += cv::Scalar::all(5);
    send(faint);
    scores[sensitivity] = next().side_data().motion()->score;
    finish();
  }
  EXPECT_EQ(scores["0"], 0);
  EXPECT_GT(scores["1"], 0.05);
}

TEST_F(Moving, BeginsAnewWithAPictureOfAnotherSize) {
  start("opencv.motion", kVideo, {{"width", "0"}});
  (void)after_square({100, 40});
  writer_->set_format(VideoFormat{PixelFormat::BGR, 96, 64, {30, 1}});
  send(cv::Mat(64, 96, CV_8UC3, cv::Scalar::all(200)));
  EXPECT_EQ(next().side_data().motion()->score, 0) << "it warms up again";
}

class Zones : public Filter, public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(Zones, AreRefusedWithWhatIsWrong) {
  start("opencv.motion", kVideo, {{"zones", GetParam().first}});
  reel_test::expect_error(ErrorCode::bad_config, {GetParam().second, "NAME X Y WIDTH HEIGHT"},
                          [&] { stage_->join(); });
}

INSTANTIATE_TEST_SUITE_P(Bad, Zones,
                         ::testing::Values(std::pair("door 0 0 x 1", "\"x\" for a number"),
                                           std::pair("door 0 0 2 1", "outside 0 to 1"),
                                           std::pair("door 0 0 -1 1", "outside 0 to 1"),
                                           std::pair("door", "0 numbers"),
                                           std::pair("door 0 0 1", "3 numbers"),
                                           std::pair("door 0.5 0 0.6 1", "outside the picture"),
                                           std::pair("door 0 0 0 1", "no area"),
                                           std::pair("door 0 0 1 1 0.5", "5 numbers"),
                                           std::pair("door 0 0 1 1, door 0 0 1 1", "name of another"),
                                           std::pair("door 0 0 nan 1", "number")));

class Backgrounds : public Filter {
 protected:
  cv::Mat picture_after(const std::map<std::string, std::string>& options) {
    start("opencv.background", kVideo, options);
    for (int i = 0; i < 40; ++i) {
      send(scene({-1, 0}));
      (void)next();
    }
    send(scene({100, 40}));
    const Frame frame = next();
    pixel_ = frame.format().video()->pixel;
    return to_bgr(frame);
  }
  PixelFormat pixel_{};
};

TEST_F(Backgrounds, AreOneColourBehindWhatMoves) {
  const cv::Mat picture = picture_after({{"colour", "#00ff00"}});
  EXPECT_EQ(pixel_, PixelFormat::I420);
  EXPECT_GT(picture.at<cv::Vec3b>(52, 112)[2], 180) << "the square is there";
  EXPECT_LT(picture.at<cv::Vec3b>(20, 20)[2], 40);
  EXPECT_GT(picture.at<cv::Vec3b>(20, 20)[1], 200) << "before green";
}

TEST_F(Backgrounds, AreBlackInTheMask) {
  const cv::Mat picture = picture_after({{"show", "mask"}});
  EXPECT_EQ(pixel_, PixelFormat::GRAY8);
  EXPECT_EQ(picture.at<cv::Vec3b>(52, 112)[0], 255);
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 20)[0], 0);
}

TEST_F(Backgrounds, AreShownAloneWhenAsked) {
  const cv::Mat picture = picture_after({{"show", "background"}});
  EXPECT_LE(cv::norm(picture, scene({-1, 0}), cv::NORM_L1) / static_cast<double>(picture.total()), 9)
      << "the square is not in it";
  EXPECT_LT(picture.at<cv::Vec3b>(52, 112)[2], 140);
}

TEST_F(Backgrounds, HaveAColourOrAreRefused) {
  start("opencv.background", kVideo, {{"colour", "green"}});
  reel_test::expect_error(ErrorCode::bad_config, {"green", "#RRGGBB"}, [&] { stage_->join(); });
}

}  // namespace
