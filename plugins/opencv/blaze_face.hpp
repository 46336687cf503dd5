// The face detector BlazeFace (MediaPipe's short-range model, 128 x 128) run by OpenCV's DNN module. Used by
// opencv.faces from its stage thread; knows nothing of streams. Single-thread.
#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

/// A face in a picture: box in pixels of the picture that was searched, score 0 to 1.
struct Face {
  cv::Rect2f box;
  float score = 0;
};

class BlazeFace {
 public:
  static constexpr int kInputSize = 128;  // pixels, width and height of what the network sees

  /// Throws reel::Error{not_found | bad_config} naming the file when it is not there or not this model.
  explicit BlazeFace(const std::string& model_path);

  /// The size to which a picture is scaled so that it fits the network's input with its aspect kept.
  [[nodiscard]] static cv::Size fitted(cv::Size picture);

  /// Faces in `bgr`, 8-bit height x width x 3, at most kInputSize in both directions and in one direction
  /// exactly (see fitted()); boxes in pixels of a picture of size `picture`, clipped to it, the best first.
  /// Allocates; about 5 ms of one core.
  [[nodiscard]] std::vector<Face> find(const cv::Mat& bgr, cv::Size picture, float threshold);

 private:
  [[nodiscard]] std::vector<Face> candidates(const std::vector<cv::Mat>& outputs, float threshold) const;

  cv::dnn::Net net_;
  std::vector<cv::String> output_names_;
  std::vector<cv::Point2f> anchors_;  // centres, in units of the input: 0 to 1
  cv::Mat input_;                     // 1 x 128 x 128 x 3 floats
};

/// Merges boxes that overlap by more than `overlap` (intersection over union) into their mean, weighted by
/// score: MediaPipe's non-maximum suppression, which trembles less from frame to frame than keeping the best
/// box. The best first.
[[nodiscard]] std::vector<Face> merge_overlapping(std::vector<Face> faces, float overlap);
