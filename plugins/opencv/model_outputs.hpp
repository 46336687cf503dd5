// From the numbers that a network gives to boxes and labels, as its description says. Used by opencv.dnn from
// its stage thread; knows nothing of streams. Pure functions.
#pragma once

#include <vector>

#include <opencv2/core.hpp>

#include "model_description.hpp"

struct Finding {
  int number = 0;  // of the class
  float score = 0;
  cv::Rect2f box;  // in pixels of the model's input; of classes: empty
};

/// Labels of the whole picture, the best first: those of at least the threshold, at most `top`. `scores` are
/// floats of any shape. Throws reel::Error{bad_config} where there are none.
[[nodiscard]] std::vector<Finding> decode_classes(const ClassOutput& output, const cv::Mat& scores,
                                                  double threshold);

/// Boxes of at least the threshold, the best first, overlapping ones of a class without the lesser. `boxes`
/// and `scores` are in the order of the description. Boxes and scores that are no finite numbers are left
/// out. Throws reel::Error{bad_config} saying which shape does not fit the description.
[[nodiscard]] std::vector<Finding> decode_boxes(const BoxOutput& output, const ModelInput& input,
                                                const std::vector<cv::Mat>& boxes,
                                                const std::vector<cv::Mat>& scores, double threshold);
