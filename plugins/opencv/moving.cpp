#include "moving.hpp"

#include <cmath>

#include <opencv2/imgproc.hpp>

namespace {
constexpr double kUsualThreshold = 16;  // OpenCV's own, at sensitivity 0.5; a fourth at 1, four times at 0
constexpr double kForeground = 200;     // MOG2 marks shadows with 127, what moves with 255
}  // namespace

MovingPixels::MovingPixels(const reel::Options& options)
    : history_(static_cast<int>(options.integer("history"))),
      threshold_(kUsualThreshold * std::pow(4.0, 1 - 2 * options.number("sensitivity"))),
      warm_up_(options.integer("warm_up")) {}

const cv::Mat& MovingPixels::find(const cv::Mat& bgr) {
  if (bgr.size() != size_) {
    model_ = cv::createBackgroundSubtractorMOG2(history_, threshold_, true);
    size_ = bgr.size();
    seen_ = 0;
  }
  model_->apply(bgr, mask_);
  if (++seen_ <= warm_up_)
    mask_.setTo(0);
  else
    cv::threshold(mask_, mask_, kForeground, 255, cv::THRESH_BINARY);
  return mask_;
}
