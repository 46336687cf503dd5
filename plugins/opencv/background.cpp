// Stage `opencv.background`: parts what moves from what stays (MOG2): the picture without its background, the
// mask of the two, or the background alone.
#include "moving.hpp"
#include "picture_filter.hpp"
#include "planes.hpp"

#include <charconv>
#include <optional>
#include <string>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{
    PortSpec{"out", reel::kTakesVideo, "what `show` says; a mask is GRAY8, 255 where something moves"}};
constexpr std::array kOptions{
    OptionSpec{"show", OptionType::text, "foreground",
               "foreground: what moves, the rest in one colour; mask: white where something moves; "
               "background: what stays",
               "foreground|mask|background"},
    OptionSpec{"colour", OptionType::text, "#000000", "of the background with show: foreground, as #RRGGBB"},
    kSensitivityOption,
    kHistoryOption,
    kWarmUpOption,
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

cv::Scalar colour_option(const std::string& text) {
  unsigned rgb = 0;
  const char* end = text.data() + text.size();
  if (text.size() == 7 && text[0] == '#') {
    const auto [stop, failed] = std::from_chars(text.data() + 1, end, rgb, 16);
    if (failed == std::errc{} && stop == end) return cv::Scalar(rgb & 255, rgb >> 8 & 255, rgb >> 16);
  }
  throw reel::Error(reel::ErrorCode::bad_config,
                    "colour \"" + text + "\" is none: write #RRGGBB, such as #00ff00 for green");
}

class Background final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    show_ = options.text("show");
    colour_ = colour_option(options.text("colour"));
    threads_ = static_cast<int>(options.integer("threads"));
    moving_.emplace(options);
  }
  void start(reel::StageContext& /*context*/) override { cv::setNumThreads(threads_); }

 private:
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    return with_pixel_format(frame, show_ == "mask" ? std::optional(reel::PixelFormat::GRAY8) : std::nullopt);
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;

  std::string show_;
  cv::Scalar colour_;
  int threads_ = 1;
  std::optional<MovingPixels> moving_;
  cv::Mat bgr_, still_;
};

reel::Loan Background::fill(reel::Output& output, const reel::Frame& frame) {
  reel::Loan loan = output.acquire();
  reel::to_bgr(frame, bgr_);
  const cv::Mat& moving = moving_->find(bgr_);
  if (show_ == "mask") {
    fill_from_gray(moving, loan);
    return loan;
  }
  if (show_ == "background") {
    moving_->background(bgr_);
  } else {
    cv::bitwise_not(moving, still_);
    bgr_.setTo(colour_, still_);
  }
  reel::from_bgr(bgr_, loan);
  return loan;
}

}  // namespace

REEL_STAGE(Background, "opencv.background", "parts what moves from what stays (MOG2)", kPictureIn, kOutputs,
           kOptions)
