// Stage `opencv.convert`: the same picture in another pixel format (see reel/channel/opencv_convert.hpp for
// the colours).
#include "picture_filter.hpp"

#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the same picture in the format asked for"}};
constexpr std::array kOptions{
    OptionSpec{"format", OptionType::text, "BGR", "pixel format of what comes out", kPixelFormatNames}};

class Convert final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    pixel_ = pixel_format_option(options.text("format"));
  }

 private:
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    return with_pixel_format(frame, pixel_);
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    reel::Loan loan = output.acquire();
    reel::convert(frame, loan);
    return loan;
  }

  std::optional<reel::PixelFormat> pixel_;
};

}  // namespace

REEL_STAGE(Convert, "opencv.convert", "converts video to another pixel format", kPictureIn, kOutputs,
           kOptions)
