#include "model_outputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <reel/base/error.hpp>

namespace {

std::string shape_of(const cv::Mat& output) {
  std::string shape;
  for (int i = 0; i < output.dims; ++i) shape += (i == 0 ? "" : " x ") + std::to_string(output.size[i]);
  return shape;
}

[[noreturn]] void refuse(const std::string& why) {
  throw reel::Error(reel::ErrorCode::bad_config, why + ": the description does not fit the model");
}

// rows x columns of floats: the last dimension is a row's, whatever lies before it.
cv::Mat rows_of(const cv::Mat& output, bool transposed) {
  if (output.type() != CV_32F || output.empty()) refuse("an output is no floats");
  const int last = output.size[output.dims - 1];
  const cv::Mat flat(static_cast<int>(output.total() / static_cast<std::size_t>(last)), last, CV_32F,
                     const_cast<float*>(output.ptr<float>()));
  return transposed ? cv::Mat(flat.t()) : flat;
}

cv::Mat rows_of(const std::vector<cv::Mat>& outputs, bool transposed) {
  cv::Mat all;
  for (const cv::Mat& output : outputs) {
    const cv::Mat rows = rows_of(output, transposed);
    if (!all.empty() && rows.cols != all.cols)
      refuse("outputs of rows of " + std::to_string(all.cols) + " and of " + std::to_string(rows.cols) +
             " numbers are to lie below one another");
    all.push_back(rows);
  }
  return all;
}

void activate(Activation activation, std::vector<float>& scores) {
  if (activation == Activation::sigmoid)
    for (float& score : scores) score = 1.0F / (1.0F + std::exp(-score));
  if (activation != Activation::softmax || scores.empty()) return;
  const float most = *std::max_element(scores.begin(), scores.end());
  float sum = 0;
  for (float& score : scores) sum += score = std::exp(score - most);
  for (float& score : scores) score /= sum;
}

// A score that is no finite number is none: another class of the same box may have one.
std::vector<float>::const_iterator best_of(std::vector<float>& scores) {
  for (float& score : scores)
    if (!std::isfinite(score)) score = std::numeric_limits<float>::lowest();
  return std::max_element(scores.cbegin(), scores.cend());
}

std::int64_t anchor_count(const BoxOutput& output) {
  std::int64_t count = 0;
  for (std::size_t grid = 0; grid < output.anchor_cells.size(); ++grid)
    count +=
        std::int64_t{output.anchor_cells[grid]} * output.anchor_cells[grid] * output.anchors_per_cell[grid];
  return count;
}

std::vector<cv::Point2f> anchors_of(const BoxOutput& output) {
  std::vector<cv::Point2f> centres;  // shares of the input
  for (std::size_t grid = 0; grid < output.anchor_cells.size(); ++grid) {
    const int cells = output.anchor_cells[grid];
    for (int cell = 0; cell < cells * cells; ++cell)
      centres.insert(centres.end(), static_cast<std::size_t>(output.anchors_per_cell[grid]),
                     cv::Point2f((static_cast<float>(cell % cells) + 0.5F) / static_cast<float>(cells),
                                 (static_cast<float>(cell / cells) + 0.5F) / static_cast<float>(cells)));
  }
  return centres;
}

// In pixels of the input.
cv::Rect2f box_of(const float* row, BoxForm form, bool pixels, const ModelInput& input) {
  const float across = pixels ? 1 : static_cast<float>(input.width);
  const float down = pixels ? 1 : static_cast<float>(input.height);
  switch (form) {
    case BoxForm::xyxy:
      return {row[0] * across, row[1] * down, (row[2] - row[0]) * across, (row[3] - row[1]) * down};
    case BoxForm::yxyx:
      return {row[1] * across, row[0] * down, (row[3] - row[1]) * across, (row[2] - row[0]) * down};
    case BoxForm::xywh: return {row[0] * across, row[1] * down, row[2] * across, row[3] * down};
    case BoxForm::cxcywh: break;
  }
  return {(row[0] - row[2] / 2) * across, (row[1] - row[3] / 2) * down, row[2] * across, row[3] * down};
}

bool usable(const cv::Rect2f& box) {
  return std::isfinite(box.x + box.y + box.width + box.height) && box.width > 0 && box.height > 0;
}

void sort_best_first(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.score > b.score; });
}

// REQUIRES: the best first.
std::vector<Finding> without_lesser(const std::vector<Finding>& findings, double overlap) {
  std::vector<Finding> kept;
  for (const Finding& finding : findings) {
    const bool lesser = std::any_of(kept.begin(), kept.end(), [&](const Finding& better) {
      if (better.number != finding.number) return false;
      const float both = (better.box & finding.box).area();
      return both > overlap * (better.box.area() + finding.box.area() - both);
    });
    if (!lesser) kept.push_back(finding);
  }
  return kept;
}

// The rows of a description, checked against what the network gave.
struct Rows {
  Rows(const BoxOutput& output, const std::vector<cv::Mat>& box_outputs,
       const std::vector<cv::Mat>& score_outputs)
      : boxes(rows_of(box_outputs, output.transposed)),
        scores(score_outputs.empty() ? boxes : rows_of(score_outputs, output.transposed)) {
    classes = output.classes != 0        ? output.classes
              : output.class_column >= 0 ? 1
                                         : scores.cols - output.score_column;
    const int last_of_boxes =
        std::max({output.box_column + 3, output.objectness_column, output.class_column});
    if (boxes.cols <= last_of_boxes)
      refuse("rows of boxes have " + std::to_string(boxes.cols) + " numbers (" + shape_of(box_outputs[0]) +
             "), and column " + std::to_string(last_of_boxes) + " is named");
    if (classes < 1 || output.score_column + classes > scores.cols)
      refuse("rows of scores have " + std::to_string(scores.cols) + " numbers (" +
             shape_of(score_outputs.empty() ? box_outputs[0] : score_outputs[0]) + "), and " +
             std::to_string(std::max(classes, 1)) + " scores from column " +
             std::to_string(output.score_column) + " on are named");
    if (scores.rows != boxes.rows)
      refuse(std::to_string(boxes.rows) + " boxes have " + std::to_string(scores.rows) + " rows of scores");
    // Counted before they are made: a description may ask for any number.
    if (const std::int64_t count = anchor_count(output); count != 0 && count != boxes.rows)
      refuse(std::to_string(boxes.rows) + " boxes have " + std::to_string(count) + " anchors");
    anchors = anchors_of(output);
  }
  cv::Mat boxes, scores;
  std::vector<cv::Point2f> anchors;
  int classes = 0;
};

}  // namespace

std::vector<Finding> decode_classes(const ClassOutput& output, const cv::Mat& scores, double threshold) {
  if (scores.type() != CV_32F || scores.empty()) refuse("the output of classes is no floats");
  const float* first = scores.ptr<float>();
  std::vector<float> values(first, first + scores.total());
  activate(output.activation, values);
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]) && values[i] >= threshold)
      findings.push_back({static_cast<int>(i), values[i], {}});
  sort_best_first(findings);
  findings.resize(std::min(findings.size(), static_cast<std::size_t>(output.top)));
  return findings;
}

std::vector<Finding> decode_boxes(const BoxOutput& output, const ModelInput& input,
                                  const std::vector<cv::Mat>& boxes, const std::vector<cv::Mat>& scores,
                                  double threshold) {
  const Rows rows(output, boxes, scores);
  std::vector<Finding> findings;
  std::vector<float> values;
  for (int i = 0; i < rows.boxes.rows; ++i) {
    const float* box = rows.boxes.ptr<float>(i);
    const float* score = rows.scores.ptr<float>(i) + output.score_column;
    values.assign(score, score + rows.classes);
    activate(output.activation, values);
    const auto best = best_of(values);
    Finding finding{static_cast<int>(best - values.cbegin()), *best,
                    box_of(box + output.box_column, output.form, output.pixels, input)};
    if (output.objectness_column >= 0) finding.score *= box[output.objectness_column];
    if (output.class_column >= 0) {
      const float number = box[output.class_column];
      finding.number = std::isfinite(number) ? static_cast<int>(std::clamp(number, -1.0F, 1e6F)) : -1;
    }
    if (!rows.anchors.empty()) {
      const cv::Point2f& anchor = rows.anchors[static_cast<std::size_t>(i)];
      finding.box.x += anchor.x * static_cast<float>(input.width);
      finding.box.y += anchor.y * static_cast<float>(input.height);
    }
    if (std::isfinite(finding.score) && finding.score >= threshold && usable(finding.box))
      findings.push_back(finding);
  }
  sort_best_first(findings);
  return without_lesser(findings, output.overlap);
}
