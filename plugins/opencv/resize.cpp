// Stage `opencv.resize`: scales the picture and the boxes in its side data; the pixel format stays. Planar
// formats are scaled plane by plane, packed 4:2:2 by way of BGR.
#include "picture_filter.hpp"
#include "side_boxes.hpp"

#include <algorithm>
#include <map>

#include <reel/base/error.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the scaled picture, same pixel format"}};
constexpr std::array kOptions{
    OptionSpec{"width", OptionType::integer, "0", "pixels; 0: from the height, aspect kept", "0..32768"},
    OptionSpec{"height", OptionType::integer, "0", "pixels; 0: from the width, aspect kept", "0..32768"},
    OptionSpec{"interpolation", OptionType::text, "linear",
               "how pixels are made; area is best for much smaller pictures",
               "nearest|linear|cubic|area|lanczos"}};

class Resize final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    width_ = static_cast<std::uint32_t>(options.integer("width"));
    height_ = static_cast<std::uint32_t>(options.integer("height"));
    if (width_ == 0 && height_ == 0)
      throw reel::Error(reel::ErrorCode::bad_config,
                        "opencv.resize needs the option `width`, `height` or both");
    static const std::map<std::string, int> kFlags{{"nearest", cv::INTER_NEAREST},
                                                   {"linear", cv::INTER_LINEAR},
                                                   {"cubic", cv::INTER_CUBIC},
                                                   {"area", cv::INTER_AREA},
                                                   {"lanczos", cv::INTER_LANCZOS4}};
    interpolation_ = kFlags.at(options.text("interpolation"));
  }

 private:
  [[nodiscard]] reel::VideoFormat scaled(const reel::VideoFormat& input) const {
    const auto kept = [](std::uint64_t side, std::uint64_t given, std::uint64_t other) {
      return static_cast<std::uint32_t>(
          std::clamp<std::uint64_t>((side * given + other / 2) / other, 1, reel::kMaxVideoSize));
    };
    reel::VideoFormat output = input;
    output.width = width_ != 0 ? width_ : kept(input.width, height_, input.height);
    output.height = height_ != 0 ? height_ : kept(input.height, width_, input.width);
    return output;
  }
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    return scaled(*frame.format().video());
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    reel::Loan loan = output.acquire();
    reel::convert(frame, loan, interpolation_);
    return loan;
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;

  std::uint32_t width_ = 0, height_ = 0;
  int interpolation_ = cv::INTER_LINEAR;
};

bool Resize::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const reel::VideoFormat& from = *frame.format().video();
  const reel::VideoFormat to = scaled(from);
  const float scale_x = static_cast<float>(to.width) / static_cast<float>(from.width);
  const float scale_y = static_cast<float>(to.height) / static_cast<float>(from.height);
  return add_moved(frame.side_data(), side_data, [scale_x, scale_y](reel::Detection& box) {
    box.x *= scale_x;
    box.width *= scale_x;
    box.y *= scale_y;
    box.height *= scale_y;
    return true;
  });
}

}  // namespace

REEL_STAGE(Resize, "opencv.resize", "scales video, pixel format kept", kPictureIn, kOutputs, kOptions)
