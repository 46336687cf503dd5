// opencv.dnn: models with their descriptions, from file to side data.
#include "filter_fixture.hpp"
#include "tiny_onnx.hpp"

#include <gmock/gmock.h>
#include <opencv2/videoio.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

namespace {

using namespace reel;

class Dnn : public Filter {
 protected:
  std::string describe(const std::string& input = "{width: 8, height: 8, scale: 0.00392156862745}",
                       const std::string& output = "{kind: classes, top: 2}", const std::string& more = "") {
    (void)scratch_.write("means.onnx", tiny_onnx::channel_means(3, 8));
    return scratch_.write("means.yaml", "model: means.onnx\ninput: " + input + "\noutput: " + output +
                                            "\nlabels: [red, green, blue]\n" + more);
  }
  reel_test::ScratchDir scratch_;
};

TEST_F(Dnn, SaysWhichClassThePictureIs) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"model", describe()}});
  send(cv::Mat(48, 64, CV_8UC3, cv::Scalar(10, 204, 153)), times(), {box("face", 1, 2, 3, 4)});
  const Frame frame = next();
  const Boxes found = detections_of(frame, "opencv.dnn");
  ASSERT_EQ(found.size(), 2U) << "blue is below the threshold";
  EXPECT_EQ(found[0].label_text(), "green");
  EXPECT_NEAR(found[0].score, 0.8, 0.01);
  EXPECT_EQ(found[1].label_text(), "red");
  EXPECT_NEAR(found[1].score, 0.6, 0.01);
  EXPECT_FLOAT_EQ(found[0].x, 0);
  EXPECT_FLOAT_EQ(found[0].width, 64);
  EXPECT_FLOAT_EQ(found[0].height, 48);
  EXPECT_EQ(detections_of(frame, "test").size(), 1U);
  expect_times(frame);
}

TEST_F(Dnn, TakesEveryPixelFormat) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}}, {{"model", describe()}});
  for (const PixelFormat pixel : all_pixel_formats()) {
    SCOPED_TRACE(to_string(pixel));
    writer_->set_format(VideoFormat{pixel, 33, 47, {30, 1}});
    send_to(*writer_, cv::Mat(47, 33, CV_8UC3, cv::Scalar::all(204)), {}, {}, true);
    const Boxes found = detections_of(next(), "opencv.dnn");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NEAR(found[0].score, 0.8, 0.02);
  }
  finish();
}

TEST_F(Dnn, ScalesShiftsAndOrdersColoursAsDescribed) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}},
        {{"model",
          describe("{width: 8, height: 8, colours: BGR, mean: [100, 0, 0], scale: [0.01, 0.002, 0.001]}")}});
  send(cv::Mat(64, 64, CV_8UC3, cv::Scalar(190, 255, 255)));
  const Boxes found = detections_of(next(), "opencv.dnn");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label_text(), "red") << "the first channel, which is blue here";
  EXPECT_NEAR(found[0].score, 0.9, 0.01);
  EXPECT_NEAR(found[1].score, 0.51, 0.01);
}

TEST_F(Dnn, FitsThePictureAsDescribed) {
  // Red in the middle half, black beside it; twice as wide as high.
  cv::Mat picture(32, 64, CV_8UC3, cv::Scalar::all(0));
  picture(cv::Rect(16, 0, 32, 32)).setTo(cv::Scalar(0, 0, 255));
  for (const auto& [fit, score] :
       {std::pair("stretch", 0.5), std::pair("letterbox", 0.25), std::pair("crop", 1.0)}) {
    SCOPED_TRACE(fit);
    begin_anew();
    start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 32, {30, 1}},
          {{"threshold", "0.2"},
           {"model",
            describe(std::string("{width: 8, height: 8, scale: 0.00392156862745, fit: ") + fit + "}")}});
    send(picture);
    {
      const Boxes found = detections_of(next(), "opencv.dnn");
      ASSERT_EQ(found.size(), 1U);
      EXPECT_NEAR(found[0].score, score, 0.01);
      EXPECT_FLOAT_EQ(found[0].x, fit == std::string("crop") ? 16 : 0);
      EXPECT_FLOAT_EQ(found[0].width, fit == std::string("crop") ? 32 : 64);
    }
    finish();
  }
}

TEST_F(Dnn, FillsWhatIsAroundALetterboxedPictureAsDescribed) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 32, {30, 1}},
        {{"model", describe("{width: 8, height: 8, scale: 0.00392156862745, fit: letterbox, pad: 204}",
                            "{kind: classes, top: 3}", "threshold: 0.3\n")}});
  send(cv::Mat(32, 64, CV_8UC3, cv::Scalar(0, 0, 255)));
  const Boxes found = detections_of(next(), "opencv.dnn");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NEAR(found[0].score, 0.9, 0.01) << "half of it red, half of it 0.8 of white";
  EXPECT_EQ(found[0].label_text(), "red");
  EXPECT_NEAR(found[1].score, 0.4, 0.01);
}

TEST_F(Dnn, SearchesEachNthPictureAndTheFirstOfAnotherSize) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 48, {30, 1}},
        {{"model", describe()}, {"every", "3"}, {"threshold", "0.75"}});
  const auto label_of = [this](const cv::Scalar& colour, cv::Size size) {
    writer_->set_format(VideoFormat{PixelFormat::BGR,
                                    static_cast<std::uint32_t>(size.width),
                                    static_cast<std::uint32_t>(size.height),
                                    {30, 1}});
    send(cv::Mat(size, CV_8UC3, colour));
    const Boxes found = detections_of(next(), "opencv.dnn");
    return found.empty() ? std::string("none") : std::string(found[0].label_text());
  };
  const cv::Scalar red(0, 0, 255), green(0, 255, 0), dark(0, 0, 180);
  EXPECT_EQ(label_of(red, {64, 48}), "red");
  EXPECT_EQ(label_of(green, {64, 48}), "red") << "carried on";
  EXPECT_EQ(label_of(green, {64, 48}), "red");
  EXPECT_EQ(label_of(green, {64, 48}), "green");
  EXPECT_EQ(label_of(red, {32, 32}), "red") << "of another size";
  EXPECT_EQ(label_of(green, {32, 32}), "red");
  EXPECT_EQ(label_of(dark, {32, 32}), "none") << "0.7 is less than the option wants";
  send(cv::Mat(32, 32, CV_8UC3, dark));
  EXPECT_TRUE(next().side_data().empty()) << "nothing is said of nothing";
}

// The model's rows are the picture's: x, y, width, height and score, in the middle of each.
TEST_F(Dnn, GivesBoxesInThePicturesCoordinatesHoweverItWasFitted) {
  struct Case {
    const char* fit;
    cv::Size picture;
    cv::Rect seen;     // the part of it that the model sees
    int scale;         // and how many of its pixels are one of the input's
    cv::Rect2f box;    // centre and size, in the input's pixels
    cv::Rect2f found;  // in the picture's
  };
  const Case cases[] = {
      {"stretch", {24, 8}, {0, 0, 24, 8}, 2, {6, 2, 4, 2}, {8, 2, 8, 4}},
      {"stretch", {24, 4}, {0, 0, 24, 4}, 2, {6, 2, 4, 1}, {8, 1.5F, 8, 1}},
      {"letterbox", {12, 8}, {0, 0, 12, 8}, 2, {6, 2, 2, 1}, {4, 3, 4, 2}},
      {"letterbox", {24, 4}, {0, 0, 24, 4}, 2, {6, 2, 4, 1}, {8, 1, 8, 2}},
      {"crop", {24, 4}, {6, 0, 12, 4}, 1, {6, 2, 4, 2}, {10, 1, 4, 2}},
      {"crop", {12, 8}, {0, 2, 12, 4}, 1, {6, 2, 4, 2}, {4, 3, 4, 2}},
      {"stretch", {12, 4}, {0, 0, 12, 4}, 1, {1, 1, 4, 4}, {0, 0, 3, 3}}};  // cut to what there is
  (void)scratch_.write("rows.onnx", tiny_onnx::rows_of_pixels(12, 4));
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.fit) + " " + std::to_string(one.picture.width));
    const std::string description = scratch_.write(
        "rows.yaml", "model: rows.onnx\ninput: {width: 12, height: 4, colours: GRAY, scale: 0.025, fit: " +
                         std::string(one.fit) +
                         "}\noutput: {kind: boxes, box_column: 3, score_column: 7, classes: 1}\n");
    if (stage_) begin_anew();
    start("opencv.dnn",
          VideoFormat{PixelFormat::GRAY8,
                      static_cast<std::uint32_t>(one.picture.width),
                      static_cast<std::uint32_t>(one.picture.height),
                      {30, 1}},
          {{"model", description}});
    cv::Mat picture(one.picture, CV_8UC3, cv::Scalar::all(0));
    const float row[] = {one.box.x, one.box.y, one.box.width, one.box.height, 0.9F};
    // Column 3 of the input, in the picture.
    const int first = one.seen.x + (one.seen.width / one.scale == 12 ? 3 * one.scale : 0);
    for (int i = 0; i < 5; ++i)
      picture(cv::Rect(first + i * one.scale, one.seen.y, one.scale, one.scale))
          .setTo(cv::Scalar::all(cvRound(row[i] * 40)));
    send(picture);
    {
      const Boxes found = detections_of(next(), "opencv.dnn");
      ASSERT_EQ(found.size(), 1U);
      EXPECT_FLOAT_EQ(found[0].x, one.found.x);
      EXPECT_FLOAT_EQ(found[0].y, one.found.y);
      EXPECT_FLOAT_EQ(found[0].width, one.found.width);
      EXPECT_FLOAT_EQ(found[0].height, one.found.height);
      EXPECT_FLOAT_EQ(found[0].score, 0.9F);
      EXPECT_EQ(found[0].label_text(), "0") << "without labels, by its number";
    }
    finish();
  }
}

TEST_F(Dnn, TakesGreyAsTheEyeHasIt) {
  (void)scratch_.write("grey.onnx", tiny_onnx::channel_means(1, 8));
  const std::string description =
      scratch_.write("grey.yaml",
                     "model: grey.onnx\ninput: {width: 8, height: 8, colours: GRAY, scale: 0.01}\n"
                     "output: {kind: classes}\nthreshold: 0.01\n");
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 16, 16, {30, 1}}, {{"model", description}});
  send(cv::Mat(16, 16, CV_8UC3, cv::Scalar(0, 0, 200)));
  const Boxes found = detections_of(next(), "opencv.dnn");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0].score, 0.6, 0.011) << "red weighs 0.299";
}

TEST_F(Dnn, FindsTheFaceThatTheCarriedModelFinds) {
  cv::VideoCapture clip(REEL_TEST_MEDIA "/hello.mp4");
  cv::Mat picture;
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(clip.read(picture));
  const cv::Mat part = picture(cv::Rect(100, 60, 320, 240)).clone();
  Boxes faces;
  for (const auto& [plugin, options] :
       {std::pair<std::string, std::map<std::string, std::string>>{"opencv.faces", {{"looks", "1"}}},
        {"opencv.dnn", {{"model", REEL_TEST_MEDIA "/blazeface.yaml"}}}}) {
    begin_anew();
    start(plugin, VideoFormat{PixelFormat::BGR, 320, 240, {30, 1}}, options);
    send(part);
    {
      const Boxes found = detections(next());
      ASSERT_EQ(found.size(), 1U) << plugin;
      EXPECT_EQ(found[0].label_text(), "face");
      faces.push_back(found[0]);
    }
    finish();
  }
  EXPECT_NEAR(faces[0].x, faces[1].x, 20);
  EXPECT_NEAR(faces[0].y, faces[1].y, 20);
  EXPECT_NEAR(faces[0].width, faces[1].width, 25);
  EXPECT_NEAR(faces[0].score, faces[1].score, 0.05);
}

TEST_F(Dnn, RefusesWhatIsNotThereNamingIt) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}},
        {{"model", scratch_.file("none.yaml")}});
  reel_test::expect_error(ErrorCode::not_found, {"none.yaml", "`model`"}, [&] { stage_->join(); });
}

TEST_F(Dnn, RefusesAModelThatIsNotThere) {
  const std::string description = scratch_.write(
      "lost.yaml", "model: lost.onnx\ninput: {width: 8, height: 8}\noutput: {kind: classes}\n");
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}}, {{"model", description}});
  reel_test::expect_error(ErrorCode::not_found, {"lost.onnx", "lost.yaml"}, [&] { stage_->join(); });
}

TEST_F(Dnn, RefusesOutputsThatTheModelHasNotBeforeTheFirstFrame) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}},
        {{"model", describe("{width: 8, height: 8}", "{kind: classes, scores: probabilities}")}});
  reel_test::expect_error(ErrorCode::bad_config, {"probabilities", "means", "means.yaml"},
                          [&] { stage_->join(); });
}

TEST_F(Dnn, TakesTheOutputThatIsNamedAndDoesNotGuessAmongSeveral) {
  (void)scratch_.write("two.onnx", tiny_onnx::channel_means_and_peaks(3, 8));
  cv::Mat picture(8, 8, CV_8UC3, cv::Scalar::all(0));
  picture(cv::Rect(0, 0, 2, 8)).setTo(cv::Scalar(0, 255, 0));
  const auto describe_two = [&](const std::string& more) {
    return scratch_.write("two.yaml",
                          "model: two.onnx\ninput: {width: 8, height: 8, scale: 0.00392156862745}\n"
                          "output: {kind: classes" +
                              more + "}\nthreshold: 0.1\n");
  };
  for (const auto& [name, score] : {std::pair("means", 0.25F), std::pair("peaks", 1.0F)}) {
    if (stage_) begin_anew();
    start("opencv.dnn", VideoFormat{PixelFormat::BGR, 8, 8, {30, 1}},
          {{"model", describe_two(std::string(", scores: ") + name)}});
    send(picture);
    {
      const Boxes found = detections_of(next(), "opencv.dnn");
      ASSERT_EQ(found.size(), 1U) << name;
      EXPECT_NEAR(found[0].score, score, 0.01) << name;
    }
    finish();
  }
  begin_anew();
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 8, 8, {30, 1}}, {{"model", describe_two("")}});
  reel_test::expect_error(ErrorCode::bad_config, {"several outputs", "means", "peaks", "two.yaml"},
                          [&] { stage_->join(); });
}

TEST_F(Dnn, RefusesAnOutputOfAnotherShapeBeforeTheFirstFrame) {
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}},
        {{"model", describe("{width: 8, height: 8}", "{kind: boxes, form: xyxy}")}});
  reel_test::expect_error(ErrorCode::bad_config,
                          {"rows of boxes have 1 numbers", "1 x 3 x 1 x 1", "means.yaml"},
                          [&] { stage_->join(); });
}

TEST_F(Dnn, RefusesAFileThatIsNoModel) {
  const std::string description = describe();
  (void)scratch_.write("means.onnx", "this is no model");
  start("opencv.dnn", VideoFormat{PixelFormat::BGR, 64, 64, {30, 1}}, {{"model", description}});
  reel_test::expect_error(ErrorCode::bad_config, {"means.onnx", "cannot be run"}, [&] { stage_->join(); });
}

}  // namespace
