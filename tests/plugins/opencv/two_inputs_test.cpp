// opencv.diff and opencv.mosaic: pictures of several inputs in one.
#include "filter_fixture.hpp"

#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;

cv::Mat grey(int width, int height, int value) {
  return cv::Mat(height, width, CV_8UC3, cv::Scalar::all(value));
}
FrameInfo at(std::int64_t pts_ns) {
  FrameInfo info;
  info.pts_ns = pts_ns;
  return info;
}

class Diff : public Filter {
 protected:
  void start_diff(const std::map<std::string, std::string>& options = {},
                  const Format& format = VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}) {
    start_with("opencv.diff", {"in", "with"}, format, options);
  }
  FrameWriter& with() { return writers_[1]; }
};

TEST_F(Diff, ShowsAndMeasuresTheDifference) {
  start_diff({{"gain", "2"}});
  cv::Mat other = grey(64, 48, 100);
  other(cv::Rect(0, 0, 32, 24)).setTo(cv::Scalar(100, 100, 140));
  send_to(*writer_, grey(64, 48, 100), times(), {box("face", 1, 2, 3, 4)}, true);
  send_to(with(), other, {}, {}, true);
  const Frame frame = next();
  expect_times(frame);
  EXPECT_EQ(detections(frame).size(), 1U) << "of `in`";
  const ReadView picture = read_view(frame);
  EXPECT_EQ(picture.at<cv::Vec3b>(10, 10), cv::Vec3b(0, 0, 80));
  EXPECT_EQ(picture.at<cv::Vec3b>(40, 40), cv::Vec3b(0, 0, 0));
  const auto figures = json_of(frame, "opencv.diff");
  EXPECT_DOUBLE_EQ(figures["differs"], 0.25);
  EXPECT_NEAR(figures["mean"], 40.0 / 12, 1e-9);
  EXPECT_NEAR(figures["psnr_db"], 10 * std::log10(255.0 * 255 / (1600.0 / 12)), 1e-9);
}

TEST_F(Diff, IsNullWherePicturesAreEqual) {
  start_diff({{"show", "mask"}});
  send_to(with(), grey(64, 48, 100));
  send(grey(64, 48, 100));
  const Frame frame = next();
  EXPECT_EQ(frame.format().video()->pixel, PixelFormat::GRAY8);
  EXPECT_EQ(cv::countNonZero(read_view(frame)), 0);
  EXPECT_TRUE(json_of(frame, "opencv.diff")["psnr_db"].is_null());
  EXPECT_EQ(json_of(frame, "opencv.diff")["differs"], 0);
}

TEST_F(Diff, ComparesEveryFormatAndSizeWithEveryOther) {
  start_diff();
  PixelFormat other = PixelFormat::GRAY16_LE;
  for (const PixelFormat pixel : all_pixel_formats()) {
    SCOPED_TRACE(to_string(pixel));
    writer_->set_format(VideoFormat{pixel, 65, 33, {30, 1}});
    with().set_format(VideoFormat{other, 31, 47, {30, 1}});
    other = pixel;
    send_to(*writer_, grey(65, 33, 120), {}, {}, true);
    send_to(with(), grey(31, 47, 90), {}, {}, true);
    const Frame frame = next();
    EXPECT_EQ(*frame.format().video(), (VideoFormat{pixel, 65, 33, {30, 1}}));
    EXPECT_LE(cv::norm(to_bgr(frame), grey(65, 33, 30), cv::NORM_INF), 6);
    EXPECT_EQ(json_of(frame, "opencv.diff")["differs"], 1);
  }
  finish();
}

TEST_F(Diff, PairsEachPictureWithTheOneThatComesAfterTheLast) {
  start_diff();
  for (int i = 0; i < 5; ++i) {
    send(grey(64, 48, 10 * i), at(i));
    send_to(with(), grey(64, 48, 10 * i), at(i));
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, i);
    EXPECT_EQ(json_of(frame, "opencv.diff")["mean"], 0) << "picture " << i << " was compared with another";
  }
  finish();
}

TEST_F(Diff, GivesOnePictureForEachOfTheFirstInputWhateverTheOtherDoes) {
  start_diff();
  send_to(with(), grey(64, 48, 50));
  send(grey(64, 48, 60), at(0));
  EXPECT_EQ(json_of(next(), "opencv.diff")["mean"], 10);
  send(grey(64, 48, 70), at(1));  // held: the other may come yet
  send(grey(64, 48, 80), at(2));  // it has not
  {
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, 1);
    EXPECT_EQ(json_of(frame, "opencv.diff")["mean"], 20);
  }
  with().end();  // now nobody waits for it
  EXPECT_EQ(json_of(next(), "opencv.diff")["mean"], 30);
  send(grey(64, 48, 90), at(3));
  EXPECT_EQ(json_of(next(), "opencv.diff")["mean"], 40);
  ASSERT_EQ(writer_->write_gap(7, 8), WriteStatus::ok);
  EXPECT_EQ(next().info().kind, FrameKind::gap);
  writer_->end();
  expect_end();
}

TEST_F(Diff, EndsWithItsFirstInput) {
  start_diff();
  send_to(with(), grey(64, 48, 50));
  send(grey(64, 48, 60));
  (void)next();
  send(grey(64, 48, 70), at(9));
  writer_->end();
  EXPECT_EQ(next().info().pts_ns, 9) << "the last picture is not lost";
  expect_end();
}

// Pictures that came from one, on two ways: each is compared with its own, however far the other way is
// behind.
TEST_F(Diff, ComparesWhatWasTakenTogetherWhereItsInputsAreJoined) {
  for (const bool other_first : {false, true}) {
    SCOPED_TRACE(other_first);
    join_ = JoinRule{5, JoinTime::media, 0};
    begin_anew();
    start_with("opencv.diff",
               other_first ? std::vector<std::string>{"with", "in"} : std::vector<std::string>{"in", "with"},
               VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}});
    FrameWriter& in = writers_[other_first ? 1 : 0];
    FrameWriter& with = writers_[other_first ? 0 : 1];
    send_to(with, grey(64, 48, 200), at(50));  // of nobody's time
    send_to(in, grey(64, 48, 10), at(100));
    send_to(in, grey(64, 48, 20), at(200));
    send_to(with, grey(64, 48, 13), at(102));
    {
      const Frame frame = next();
      EXPECT_EQ(frame.info().pts_ns, 100);
      EXPECT_EQ(json_of(frame, "opencv.diff")["mean"], 3);
    }
    send_to(in, grey(64, 48, 30), at(300));  // the second is without a partner now and comes out nowhere
    send_to(with, grey(64, 48, 37), at(299));
    send_to(in, grey(64, 48, 40), at(400));
    {
      const Frame frame = next();
      EXPECT_EQ(frame.info().pts_ns, 300);
      EXPECT_EQ(json_of(frame, "opencv.diff")["mean"], 7);
    }
    finish();
  }
}

class Mosaic : public Filter {
 protected:
  void start_mosaic(std::size_t inputs, const std::map<std::string, std::string>& more = {}) {
    std::map<std::string, std::string> options{
        {"width", "200"}, {"height", "100"}, {"gap", "0"}, {"names", "false"}};
    for (const auto& [name, value] : more) options[name] = value;
    start_with("opencv.mosaic", std::vector<std::string>(inputs, "in"),
               VideoFormat{PixelFormat::I420, 64, 64, {30, 1}}, options);
  }
};

TEST_F(Mosaic, PutsEveryPictureAndItsBoxesIntoItsPlace) {
  start_mosaic(2);
  writers_[1].set_format(VideoFormat{PixelFormat::NV12, 50, 25, {30, 1}});
  send_to(writers_[0], grey(64, 64, 200), times(), {box("first", 0, 0, 64, 32)}, true);
  send_to(writers_[1], grey(50, 25, 100), {}, {box("second", 10, 5, 20, 10)}, true);
  const Frame frame = next();
  EXPECT_EQ(*frame.format().video(), (VideoFormat{PixelFormat::BGR, 200, 100, {}}));
  EXPECT_EQ(frame.info().pts_ns, times().pts_ns);
  const ReadView picture = read_view(frame);
  EXPECT_NEAR(picture.at<cv::Vec3b>(5, 5)[0], 200, 3);
  EXPECT_NEAR(picture.at<cv::Vec3b>(95, 95)[0], 200, 3);
  EXPECT_NEAR(picture.at<cv::Vec3b>(50, 150)[0], 100, 3);
  EXPECT_EQ(picture.at<cv::Vec3b>(10, 150)[0], 0) << "above it, as it is twice as wide as high";
  const Boxes boxes = detections(frame);
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_FLOAT_EQ(boxes[0].width, 100);
  EXPECT_FLOAT_EQ(boxes[0].height, 50);
  EXPECT_FLOAT_EQ(boxes[1].x, 120);
  EXPECT_FLOAT_EQ(boxes[1].y, 35);
  EXPECT_FLOAT_EQ(boxes[1].width, 40);
}

TEST_F(Mosaic, TakesEveryPixelFormatAndGivesEvery) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    SCOPED_TRACE(to_string(pixel));
    begin_anew();
    start_mosaic(2, {{"format", std::string(to_string(pixel))}, {"width", "201"}, {"height", "99"}});
    for (FrameWriter& writer : writers_) {
      writer.set_format(VideoFormat{pixel, 33, 35, {30, 1}});
      send_to(writer, grey(33, 35, 150), {}, {}, true);
    }
    {
      const Frame frame = next();
      EXPECT_EQ(*frame.format().video(), (VideoFormat{pixel, 201, 99, {}}));
      EXPECT_NEAR(to_bgr(frame).at<cv::Vec3b>(50, 50)[1], 150, 4);
    }
    finish();
  }
}

TEST_F(Mosaic, IsHeldUpByNobody) {
  start_mosaic(3);
  send_to(writers_[0], grey(64, 64, 50), at(0));
  send_to(writers_[0], grey(64, 64, 60), at(1));  // the others have brought nothing
  EXPECT_EQ(next().info().pts_ns, 0);
  writers_[1].end();
  send_to(writers_[2], grey(64, 64, 70), at(100));
  {
    const Frame frame = next();  // both that go on have a new picture
    EXPECT_EQ(frame.info().pts_ns, 1) << "times are the first input's";
    EXPECT_NEAR(read_view(frame).at<cv::Vec3b>(25, 50)[0], 60, 3);
    EXPECT_NEAR(read_view(frame).at<cv::Vec3b>(75, 50)[0], 70, 3);
  }
  writers_[0].end();
  send_to(writers_[2], grey(64, 64, 80), at(101));
  {
    const Frame frame = next();
    EXPECT_LT(read_view(frame).at<cv::Vec3b>(25, 50)[0], 30) << "dark: it has ended";
    EXPECT_NEAR(read_view(frame).at<cv::Vec3b>(75, 50)[0], 80, 3);
  }
  writers_[2].end();
  expect_end();
}

TEST_F(Mosaic, NeverGoesBackInTime) {
  start_mosaic(2);
  send_to(writers_[1], grey(64, 64, 70), at(500));
  send_to(writers_[1], grey(64, 64, 70), at(600));
  EXPECT_EQ(next().info().pts_ns, 500);
  send_to(writers_[0], grey(64, 64, 70), at(3));
  EXPECT_EQ(next().info().pts_ns, 500);
}

TEST_F(Mosaic, GoesOnInTimeWhereTheInputThatGaveItEnds) {
  start_mosaic(2);
  Segment old, young;  // the one has run for an hour, the other for a second
  old.start_ns = 5'000'000'000;
  old.monotonic_offset_ns = 1'000'000'000;
  young.monotonic_offset_ns = 3'600'000'000'000;
  writers_[0].set_segment(old);
  writers_[1].set_segment(young);
  send_to(writers_[0], grey(64, 64, 70), at(3'605'000'000'000));
  send_to(writers_[1], grey(64, 64, 70), at(1'000'000'000));
  {
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, 3'600'000'000'000) << "running time";
    ASSERT_NE(frame.segment(), nullptr);
    EXPECT_EQ(frame.segment()->start_ns, 0);
    EXPECT_EQ(frame.segment()->monotonic_offset_ns, 1'000'000'000);
  }
  writers_[0].end();
  for (int i = 1; i < 4; ++i) {
    send_to(writers_[1], grey(64, 64, 70), at((1 + i) * 1'000'000'000LL));
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, 3'600'000'000'000 + i * 1'000'000'000LL);
    EXPECT_EQ(frame.segment()->monotonic_offset_ns, 1'000'000'000);
  }
  finish();
}

TEST_F(Mosaic, ShowsWhatWasTakenTogetherWhereItsInputsAreJoined) {
  join_ = JoinRule{5, JoinTime::media, 0};
  start_mosaic(2);
  send_to(writers_[0], grey(64, 64, 50), at(100));  // twice as many as of the other
  send_to(writers_[0], grey(64, 64, 60), at(200));
  send_to(writers_[1], grey(64, 64, 90), at(203));
  for (const auto& [pts_ns, left, right] : {std::tuple(200, 60, 90), std::tuple(400, 80, 110)}) {
    if (pts_ns == 200) {
      send_to(writers_[0], grey(64, 64, 70), at(300));
    } else {
      send_to(writers_[0], grey(64, 64, 80), at(400));
      send_to(writers_[1], grey(64, 64, 110), at(398));
      send_to(writers_[0], grey(64, 64, 90), at(500));
    }
    const Frame frame = next();
    EXPECT_EQ(frame.info().pts_ns, pts_ns);
    EXPECT_NEAR(read_view(frame).at<cv::Vec3b>(50, 50)[0], left, 3);
    EXPECT_NEAR(read_view(frame).at<cv::Vec3b>(50, 150)[0], right, 3);
  }
  finish();
}

TEST_F(Mosaic, RefusesPlacesWithoutPixels) {
  start_mosaic(3, {{"width", "16"}, {"columns", "1"}, {"height", "16"}, {"gap", "9"}});
  reel_test::expect_error(ErrorCode::bad_config, {"3 pictures", "16 x 16", "`gap`"}, [&] { stage_->join(); });
}

}  // namespace
