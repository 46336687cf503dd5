// Stage `opencv.edges`: the edges in the picture (Canny), white on black.
#include "picture_filter.hpp"
#include "planes.hpp"

#include <string>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the edges, white on black"}};
constexpr std::array kOptions{
    OptionSpec{"low", OptionType::number, "50", "an edge goes on while its gradient is as much", "0..10000"},
    OptionSpec{"high", OptionType::number, "150", "an edge begins where its gradient is as much", "0..10000"},
    OptionSpec{"smooth", OptionType::integer, "1",
               "radius in pixels of the blur before the search, against noise; 0: none", "0..50"},
    OptionSpec{"format", OptionType::text, "GRAY8", "pixel format of what comes out; same: as what comes in",
               kPixelFormatNames},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

class Edges final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    low_ = options.number("low");
    high_ = options.number("high");
    smooth_ = static_cast<int>(options.integer("smooth"));
    pixel_ = pixel_format_option(options.text("format"));
    threads_ = static_cast<int>(options.integer("threads"));
    if (low_ > high_)
      throw reel::Error(reel::ErrorCode::bad_config, "low is " + std::to_string(low_) + " and high " +
                                                         std::to_string(high_) +
                                                         ": low must not be above high");
  }
  void start(reel::StageContext& /*context*/) override { cv::setNumThreads(threads_); }

 private:
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    return with_pixel_format(frame, pixel_);
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;

  double low_ = 50, high_ = 150;
  int smooth_ = 1, threads_ = 1;
  std::optional<reel::PixelFormat> pixel_;
};

reel::Loan Edges::fill(reel::Output& output, const reel::Frame& frame) {
  reel::Loan loan = output.acquire();
  cv::Mat gray = gray_of(frame), edges;
  if (smooth_ > 0) {
    cv::Mat soft;
    cv::GaussianBlur(gray, soft, cv::Size(2 * smooth_ + 1, 2 * smooth_ + 1), 0);
    gray = soft;
  }
  cv::Canny(gray, edges, low_, high_);
  fill_from_gray(edges, loan);
  return loan;
}

}  // namespace

REEL_STAGE(Edges, "opencv.edges", "edges of video (Canny)", kPictureIn, kOutputs, kOptions)
