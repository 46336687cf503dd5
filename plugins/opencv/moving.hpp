// What opencv.motion and opencv.background share: OpenCV's MOG2, a model of what the picture looks like where
// nothing moves (Zivkovic: Improved adaptive Gaussian mixture model, 2004). Single-thread.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/video/background_segm.hpp>

#include <reel/stage/plugin.hpp>

inline constexpr reel::OptionSpec kSensitivityOption{
    "sensitivity", reel::OptionType::number, "0.5",
    "0: only what differs much from what was there; 1: what differs a little", "0..1"};
inline constexpr reel::OptionSpec kHistoryOption{
    "history", reel::OptionType::integer, "500",
    "frames after which what has come to rest belongs to the background", "2..100000"};
inline constexpr reel::OptionSpec kWarmUpOption{"warm_up", reel::OptionType::integer, "15",
                                                "frames at the beginning in which nothing counts as moving",
                                                "1..100000"};

class MovingPixels {
 public:
  /// Takes the three options above.
  explicit MovingPixels(const reel::Options& options);

  /// 255 where `bgr` (8-bit height x width x 3) moves, 0 elsewhere, shadows included; all 0 while it warms
  /// up. A picture of another size begins anew. Valid until the next call.
  [[nodiscard]] const cv::Mat& find(const cv::Mat& bgr);
  /// The background as it was learnt so far. REQUIRES: find() was called.
  void background(cv::Mat& bgr) const { model_->getBackgroundImage(bgr); }

 private:
  int history_;
  double threshold_;  // squared distance in standard deviations
  std::int64_t warm_up_;
  std::int64_t seen_ = 0;
  cv::Size size_;
  cv::Ptr<cv::BackgroundSubtractorMOG2> model_;
  cv::Mat mask_;
};
