// Descriptions of models, and what is made of a network's numbers.
#include "model_description.hpp"
#include "model_outputs.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include <reel/base/error.hpp>

namespace {

using reel::ErrorCode;

class Description : public ::testing::Test {
 protected:
  ModelDescription read(const std::string& text) const {
    return read_model_description(scratch_.write("model.yaml", text));
  }
  reel_test::ScratchDir scratch_;
};

TEST_F(Description, IsReadWithAllItsKeys) {
  (void)scratch_.write("names.txt", "cat\r\ndog\n");
  const ModelDescription model = read(R"(
model: net.onnx
input: {width: 320, height: 160, layout: NHWC, colours: BGR, mean: [1, 2, 3], scale: 0.5, fit: letterbox, pad: 114}
output:
  kind: boxes
  boxes: [a, b]
  scores: c
  transposed: true
  activation: sigmoid
  form: yxyx
  units: shares
  box_column: 1
  score_column: 2
  classes: 3
  objectness_column: 7
  class_column: 8
  anchors: {cells: [16, 8], per_cell: [2, 6]}
  overlap: 0.25
threshold: 0.125
labels: names.txt
)");
  EXPECT_EQ(model.model, scratch_.file("net.onnx"));
  EXPECT_EQ(model.input.width, 320);
  EXPECT_EQ(model.input.height, 160);
  EXPECT_TRUE(model.input.channels_last);
  EXPECT_EQ(model.input.colours, ModelColours::bgr);
  EXPECT_EQ(model.input.mean, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(model.input.scale, (std::array<double, 3>{0.5, 0.5, 0.5}));
  EXPECT_EQ(model.input.fit, ModelFit::letterbox);
  EXPECT_EQ(model.input.pad, 114);
  EXPECT_FALSE(model.classifies);
  EXPECT_EQ(model.boxes.boxes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(model.boxes.scores, (std::vector<std::string>{"c"}));
  EXPECT_TRUE(model.boxes.transposed);
  EXPECT_EQ(model.boxes.activation, Activation::sigmoid);
  EXPECT_EQ(model.boxes.form, BoxForm::yxyx);
  EXPECT_FALSE(model.boxes.pixels);
  EXPECT_EQ(model.boxes.box_column, 1);
  EXPECT_EQ(model.boxes.score_column, 2);
  EXPECT_EQ(model.boxes.classes, 3);
  EXPECT_EQ(model.boxes.objectness_column, 7);
  EXPECT_EQ(model.boxes.class_column, 8);
  EXPECT_EQ(model.boxes.anchor_cells, (std::vector<int>{16, 8}));
  EXPECT_EQ(model.boxes.anchors_per_cell, (std::vector<int>{2, 6}));
  EXPECT_EQ(model.boxes.overlap, 0.25);
  EXPECT_EQ(model.threshold, 0.125);
  EXPECT_EQ(model.label(1), "dog");
  EXPECT_EQ(model.label(2), "2");
  EXPECT_EQ(model.label(-1), "-1");
}

struct Wrong {
  const char* text;
  std::vector<std::string> said;
};

class WrongDescription : public Description, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongDescription, IsRefusedWithItsLineAndWhatIsRight) {
  for (const std::string& said : GetParam().said)
    reel_test::expect_error(ErrorCode::bad_config, {said}, [&] { (void)read(GetParam().text); });
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongDescription,
    ::testing::Values(
        Wrong{"", {"model.yaml", "must be a map"}}, Wrong{"[1, 2]", {"must be a map"}},
        Wrong{"model: [", {"model.yaml", "no YAML"}},
        Wrong{"model: a\ninputs: {}\n", {"model.yaml:2", "\"inputs\"", "did you mean \"input\"?"}},
        Wrong{"model: a\n", {"lacks the key \"input\""}},
        Wrong{"model: a\ninput: {width: 3}\noutput: {kind: classes}\n", {":2", "lacks the key \"height\""}},
        Wrong{"model: a\ninput: {width: 0, height: 4}\noutput: {kind: classes}\n", {"width: 0", "1 to 4096"}},
        Wrong{"model: a\ninput: {width: x, height: 4}\noutput: {kind: classes}\n", {"no whole number"}},
        Wrong{"model: a\ninput: {width: 4, height: 4, layout: NWCH}\noutput: {kind: classes}\n",
              {"\"NWCH\"", "NCHW or NHWC"}},
        Wrong{"model: a\ninput: {width: 4, height: 4, mean: [1, 2]}\noutput: {kind: classes}\n",
              {"mean", "1 or 3"}},
        Wrong{"model: a\ninput: {width: 4, height: 4, mean: .nan}\noutput: {kind: classes}\n",
              {":2", "\"mean\"", "no finite number"}},
        Wrong{"model: a\ninput: {width: 4, height: 4, scale: [1, .inf, 1]}\noutput: {kind: classes}\n",
              {":2", "\"scale\"", "no finite number"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: {kind: faces}\n",
              {":3", "faces", "classes or boxes"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: 7\n", {"classes or boxes"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: {kind: boxes, anchors: {cells: [4], per_cell: "
              "[]}}\n",
              {"anchors", "per_cell"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: {kind: classes}\nlabels: no.txt\n",
              {":4", "no.txt", "cannot be read"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: {kind: classes}\nlabels: .\n",
              {":4", "cannot be read"}},
        Wrong{"model: a\ninput: {width: 4, height: 4}\noutput: {kind: classes}\nthreshold: 2\n",
              {"threshold: 2"}}));

cv::Mat numbers(std::initializer_list<int> shape, std::initializer_list<float> values) {
  return cv::Mat(std::vector<float>(values), true).reshape(1, std::vector<int>(shape));
}

TEST(ModelOutputs, OfClassesAreTheBestOnes) {
  const auto found = decode_classes({{}, Activation::softmax, 2}, numbers({1, 4, 1, 1}, {1, 3, 2, -5}), 0.05);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].number, 1);
  EXPECT_NEAR(found[0].score, 0.665, 0.001);
  EXPECT_EQ(found[1].number, 2);
  EXPECT_EQ(decode_classes({{}, Activation::softmax, 4}, numbers({4}, {1, 3, 2, -5}), 0.3).size(), 1U);
}

const ModelInput kInput{.width = 100, .height = 50};

TEST(ModelOutputs, OfYoloRowsHaveObjectness) {
  const BoxOutput rows{.score_column = 5, .objectness_column = 4};
  const auto found =
      decode_boxes(rows, kInput, {numbers({1, 3, 7}, {50, 25, 20, 10, 0.9F, 0.1F, 0.8F,     //
                                                      51, 25, 20, 10, 0.8F, 0.1F, 0.8F,     // the same thing
                                                      20, 10, 10, 10, 0.3F, 0.9F, 0.1F})},  // hardly anything
                   {}, 0.5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].number, 1);
  EXPECT_NEAR(found[0].score, 0.72, 1e-5);
  EXPECT_EQ(found[0].box, cv::Rect2f(40, 20, 20, 10));
}

TEST(ModelOutputs, MayLieTransposed) {
  const BoxOutput columns{.transposed = true};
  const auto found = decode_boxes(
      columns, kInput, {numbers({1, 6, 2}, {50, 20, 25, 10, 20, 4, 10, 6, 0.9F, 0.1F, 0.2F, 0.7F})}, {}, 0.5);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].number, 0);
  EXPECT_EQ(found[0].box, cv::Rect2f(40, 20, 20, 10));
  EXPECT_EQ(found[1].number, 1);
  EXPECT_EQ(found[1].box, cv::Rect2f(18, 7, 4, 6));
}

TEST(ModelOutputs, OfSsdRowsNameTheirClass) {
  const BoxOutput rows{
      .form = BoxForm::xyxy, .pixels = false, .box_column = 3, .score_column = 2, .class_column = 1};
  const auto found = decode_boxes(
      rows, kInput, {numbers({1, 1, 2, 7}, {0, 15, 0.9F, 0.1F, 0.2F, 0.5F, 0.6F, 0, 3, 0.1F, 0, 0, 1, 1})},
      {}, 0.5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].number, 15);
  EXPECT_FLOAT_EQ(found[0].box.x, 10);
  EXPECT_FLOAT_EQ(found[0].box.y, 10);
  EXPECT_FLOAT_EQ(found[0].box.width, 40);
  EXPECT_FLOAT_EQ(found[0].box.height, 20);
}

TEST(ModelOutputs, MayHaveScoresOfTheirOwnAndAnchors) {
  const BoxOutput anchored{.scores = {"s"},
                           .activation = Activation::sigmoid,
                           .score_column = 0,
                           .anchor_cells = {2},
                           .anchors_per_cell = {1}};
  const auto found = decode_boxes(
      anchored, kInput, {numbers({1, 4, 4}, {0, 0, 8, 8, 0, 0, 8, 8, 0, 0, 8, 8, 5, -2.5F, 10, 20})},
      {numbers({1, 4, 1}, {-9, -9, -9, 9})}, 0.5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].box, cv::Rect2f(75 + 5 - 5, 37.5F - 2.5F - 10, 10, 20));
}

TEST(ModelOutputs, KeepBoxesOfOtherClassesThatOverlap) {
  const BoxOutput rows{};
  const auto found = decode_boxes(
      rows, kInput, {numbers({2, 6}, {50, 25, 20, 10, 0.9F, 0, 50, 25, 20, 10, 0, 0.8F})}, {}, 0.5);
  EXPECT_EQ(found.size(), 2U);
}

TEST(ModelOutputs, ThatAreNoNumbersAreLeftOut) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto found = decode_boxes({}, kInput, {numbers({4, 5}, {nan, 25, 20,  10, 0.9F,  //
                                                                50,  25, inf, 10, 0.9F,  //
                                                                50,  25, 20,  10, nan,   //
                                                                50,  25, 20,  10, inf})},
                                  {}, 0.5);
  EXPECT_TRUE(found.empty());
  const auto other = decode_boxes({}, kInput, {numbers({1, 7}, {50, 25, 20, 10, nan, 0.7F, inf})}, {}, 0.5);
  ASSERT_EQ(other.size(), 1U) << "of another class there is a score";
  EXPECT_EQ(other[0].number, 1);
  const auto classes = decode_classes({{}, Activation::none, 4}, numbers({4}, {inf, nan, 0.7F, -inf}), 0.5);
  ASSERT_EQ(classes.size(), 1U);
  EXPECT_EQ(classes[0].number, 2);
  EXPECT_TRUE(
      decode_boxes({}, kInput, {numbers({2, 5}, {50, 25, 0, 10, 0.9F, 50, 25, 20, -1, 0.9F})}, {}, 0.5)
          .empty())
      << "of no area";
}

TEST(ModelOutputs, AreActivatedAsTheirFormulasSay) {
  const auto sigmoid = decode_classes({{}, Activation::sigmoid, 3}, numbers({3}, {1.5F, -1, 0}), 0.1);
  ASSERT_EQ(sigmoid.size(), 3U);
  EXPECT_NEAR(sigmoid[0].score, 1 / (1 + std::exp(-1.5)), 1e-6);
  EXPECT_EQ(sigmoid[1].number, 2);
  EXPECT_FLOAT_EQ(sigmoid[1].score, 0.5F);
  EXPECT_NEAR(sigmoid[2].score, 1 / (1 + std::exp(1.0)), 1e-6);
  // Beyond what exp() of a float can hold.
  const auto large = decode_classes({{}, Activation::softmax, 2}, numbers({2}, {1000, 999}), 0.1);
  ASSERT_EQ(large.size(), 2U);
  EXPECT_NEAR(large[0].score, 1 / (1 + std::exp(-1.0)), 1e-5);
  EXPECT_NEAR(large[0].score + large[1].score, 1, 1e-6);
}

TEST(ModelOutputs, CountFromTheThresholdOn) {
  EXPECT_EQ(decode_classes({}, numbers({2}, {0.5F, 0.25F}), 0.5).size(), 1U);
  EXPECT_EQ(decode_boxes({}, kInput, {numbers({1, 5}, {50, 25, 20, 10, 0.5F})}, {}, 0.5).size(), 1U);
}

TEST(ModelOutputs, OfEachFormAreTheSameBox) {
  const cv::Rect2f wanted(10, 20, 40, 25);
  const std::pair<BoxForm, std::vector<float>> forms[] = {{BoxForm::xyxy, {10, 20, 50, 45}},
                                                          {BoxForm::yxyx, {20, 10, 45, 50}},
                                                          {BoxForm::xywh, {10, 20, 40, 25}},
                                                          {BoxForm::cxcywh, {30, 32.5F, 40, 25}}};
  for (const auto& [form, box] : forms) {
    SCOPED_TRACE(static_cast<int>(form));
    const auto pixels = decode_boxes({.form = form}, kInput,
                                     {numbers({1, 5}, {box[0], box[1], box[2], box[3], 0.9F})}, {}, 0.5);
    ASSERT_EQ(pixels.size(), 1U);
    EXPECT_EQ(pixels[0].box, wanted);
    std::vector<float> shares = box;
    for (std::size_t i = 0; i < 4; ++i)
      shares[i] /= static_cast<float>((i % 2 == 0) == (form != BoxForm::yxyx) ? kInput.width : kInput.height);
    const auto scaled =
        decode_boxes({.form = form, .pixels = false}, kInput,
                     {numbers({1, 5}, {shares[0], shares[1], shares[2], shares[3], 0.9F})}, {}, 0.5);
    ASSERT_EQ(scaled.size(), 1U);
    EXPECT_NEAR(scaled[0].box.x, wanted.x, 1e-4);
    EXPECT_NEAR(scaled[0].box.y, wanted.y, 1e-4);
    EXPECT_NEAR(scaled[0].box.width, wanted.width, 1e-4);
    EXPECT_NEAR(scaled[0].box.height, wanted.height, 1e-4);
  }
}

// Row by row through the cells of a grid, each as often as it has anchors; one grid after the other.
TEST(ModelOutputs, LieAtTheAnchorsOfTheirGrids) {
  const BoxOutput anchored{
      .scores = {"s"}, .score_column = 0, .anchor_cells = {2, 1}, .anchors_per_cell = {1, 2}, .overlap = 1};
  cv::Mat boxes(std::vector<int>{1, 6, 4}, CV_32F, cv::Scalar(0)), scores(std::vector<int>{1, 6, 1}, CV_32F);
  for (int i = 0; i < 6; ++i) {
    boxes.ptr<float>(0, i)[2] = boxes.ptr<float>(0, i)[3] = static_cast<float>(2 + 2 * i);
    *scores.ptr<float>(0, i) = 0.9F - 0.05F * static_cast<float>(i);
  }
  const auto found = decode_boxes(anchored, kInput, {boxes}, {scores}, 0.5);
  ASSERT_EQ(found.size(), 6U);
  const cv::Point2f centres[] = {{25, 12.5F}, {75, 12.5F}, {25, 37.5F}, {75, 37.5F}, {50, 25}, {50, 25}};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(found[i].box.x + found[i].box.width / 2, centres[i].x) << i;
    EXPECT_FLOAT_EQ(found[i].box.y + found[i].box.height / 2, centres[i].y) << i;
  }
}

// Of two boxes of 20 x 10 that share 10 x 10, intersection over union is a third.
TEST(ModelOutputs, LoseTheLesserOfTwoThatOverlapByMoreThanTheDescriptionAllows) {
  const cv::Mat rows = numbers({2, 5}, {50, 25, 20, 10, 0.7F, 60, 25, 20, 10, 0.8F});
  EXPECT_EQ(decode_boxes({.overlap = 0.34}, kInput, {rows}, {}, 0.5).size(), 2U);
  const auto found = decode_boxes({.overlap = 0.32}, kInput, {rows}, {}, 0.5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].score, 0.8F) << "the better stays";
  EXPECT_EQ(decode_boxes({.overlap = 0}, kInput,
                         {numbers({2, 5}, {50, 25, 20, 10, 0.7F, 70, 25, 20, 10, 0.8F})}, {}, 0.5)
                .size(),
            2U)
      << "they only touch";
}

TEST(ModelOutputs, OfSeveralOutputsLieBelowOneAnother) {
  const BoxOutput two{.boxes = {"a", "b"}, .scores = {"c", "d"}, .transposed = true, .score_column = 0};
  const auto found = decode_boxes(
      two, kInput, {numbers({1, 4, 1}, {10, 10, 4, 4}), numbers({1, 4, 2}, {30, 50, 20, 40, 6, 8, 6, 8})},
      {numbers({1, 2, 1}, {0.6F, 0.1F}), numbers({1, 2, 2}, {0.1F, 0.8F, 0.7F, 0.2F})}, 0.5);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].number, 0);
  EXPECT_EQ(found[0].box, cv::Rect2f(46, 36, 8, 8));
  EXPECT_EQ(found[1].number, 1);
  EXPECT_EQ(found[1].box, cv::Rect2f(27, 17, 6, 6));
  EXPECT_EQ(found[2].box, cv::Rect2f(8, 8, 4, 4));
  reel_test::expect_error(ErrorCode::bad_config, {"rows of 4 and of 5", "below one another"}, [] {
    (void)decode_boxes({}, kInput, {numbers({1, 4}, {1, 2, 3, 4}), numbers({1, 5}, {1, 2, 3, 4, 5})}, {},
                       0.5);
  });
}

TEST(ModelOutputs, OfAnotherShapeAreRefused) {
  const cv::Mat rows = numbers({2, 5}, {1, 2, 3, 4, 5, 1, 2, 3, 4, 5});
  const auto refused = [&](const BoxOutput& output, const std::vector<cv::Mat>& scores, const char* said) {
    reel_test::expect_error(ErrorCode::bad_config, {said, "does not fit the model"},
                            [&] { (void)decode_boxes(output, kInput, {rows}, scores, 0.5); });
  };
  refused({.box_column = 2}, {}, "column 5 is named");
  refused({.score_column = 5}, {}, "rows of scores have 5 numbers");
  refused({.classes = 2}, {}, "2 scores from column 4");
  refused({.score_column = 0}, {numbers({3, 1}, {1, 2, 3})}, "2 boxes have 3 rows of scores");
  refused({.class_column = 5}, {}, "column 5 is named");
  refused({.objectness_column = 7}, {}, "column 7 is named");
  refused({.anchor_cells = {4}, .anchors_per_cell = {1}}, {}, "16 anchors");
  refused({.anchor_cells = {1024}, .anchors_per_cell = {1024}}, {}, "1073741824 anchors");
  const cv::Mat whole = cv::Mat(2, 5, CV_32S, cv::Scalar(1));
  for (const cv::Mat& none : {whole, cv::Mat()}) {
    reel_test::expect_error(ErrorCode::bad_config, {"no floats"},
                            [&] { (void)decode_boxes({}, kInput, {none}, {}, 0.5); });
    reel_test::expect_error(ErrorCode::bad_config, {"no floats"},
                            [&] { (void)decode_classes({}, none, 0.5); });
  }
}

}  // namespace
