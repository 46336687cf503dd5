// Stage `opencv.crop`: a part of the picture, the boxes in its side data with it; the pixel format stays.
#include "picture_filter.hpp"
#include "planes.hpp"
#include "side_boxes.hpp"

#include <algorithm>
#include <string>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "that part, same pixel format"}};
constexpr std::array kOptions{
    OptionSpec{"x", OptionType::integer, "0",
               "left edge, pixels; where two columns share chroma an odd one becomes the one before",
               "0..32767"},
    OptionSpec{"y", OptionType::integer, "0",
               "top edge, pixels; where two rows share chroma an odd one becomes the one before", "0..32767"},
    OptionSpec{"width", OptionType::integer, "0", "pixels; 0: as far as the picture goes", "0..32768"},
    OptionSpec{"height", OptionType::integer, "0", "pixels; 0: as far as the picture goes", "0..32768"}};

class Crop final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    const auto pixels = [&options](const char* name) { return static_cast<int>(options.integer(name)); };
    asked_ = {pixels("x"), pixels("y"), pixels("width"), pixels("height")};
  }

 private:
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    const cv::Rect area = area_of(*frame.format().video());
    reel::VideoFormat video = *frame.format().video();
    video.width = static_cast<std::uint32_t>(area.width);
    video.height = static_cast<std::uint32_t>(area.height);
    return video;
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  [[nodiscard]] cv::Rect area_of(const reel::VideoFormat& video) const;
  void tell_once(const reel::VideoFormat& video, const cv::Rect& area);

  cv::Rect asked_;
  reel::VideoFormat told_;
};

bool shares_rows(reel::PixelFormat pixel) {
  return pixel == reel::PixelFormat::I420 || pixel == reel::PixelFormat::NV12 ||
         pixel == reel::PixelFormat::NV21;
}

// What is there of what was asked for.
cv::Rect Crop::area_of(const reel::VideoFormat& video) const {
  const int width = static_cast<int>(video.width), height = static_cast<int>(video.height);
  if (asked_.x >= width || asked_.y >= height)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the part begins at " + std::to_string(asked_.x) + ", " + std::to_string(asked_.y) +
                          ", and the picture is " + std::to_string(width) + " x " + std::to_string(height) +
                          ": nothing is left of it; lower the options `x` and `y`");
  cv::Rect area = asked_;
  if (shares_rows(video.pixel) || is_packed_422(video.pixel)) area.x &= ~1;
  if (shares_rows(video.pixel)) area.y &= ~1;
  area.width = std::min(asked_.width == 0 ? width : asked_.width, width - area.x);
  area.height = std::min(asked_.height == 0 ? height : asked_.height, height - area.y);
  return area;
}

void Crop::tell_once(const reel::VideoFormat& video, const cv::Rect& area) {
  if (video == told_) return;
  told_ = video;
  const bool all = asked_.x == area.x && asked_.y == area.y &&
                   (asked_.width == 0 || asked_.width == area.width) &&
                   (asked_.height == 0 || asked_.height == area.height);
  if (all) return;
  reel::log_warning("of a picture of " + std::to_string(video.width) + " x " + std::to_string(video.height) +
                    " in " + std::string(reel::to_string(video.pixel)) + ", the part that is taken is " +
                    std::to_string(area.width) + " x " + std::to_string(area.height) + " at " +
                    std::to_string(area.x) + ", " + std::to_string(area.y) +
                    ", not quite what was asked for");
}

reel::Loan Crop::fill(reel::Output& output, const reel::Frame& frame) {
  const cv::Rect area = area_of(*frame.format().video());
  tell_once(*frame.format().video(), area);
  reel::Loan loan = output.acquire();
  const auto from = plane_mats(frame);
  auto to = plane_mats(loan);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const cv::Point corner(area.x / from[i].step.width, area.y / from[i].step.height);
    from[i].mat(cv::Rect(corner, to[i].mat.size())).copyTo(to[i].mat);
  }
  return loan;
}

bool Crop::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const cv::Rect area = area_of(*frame.format().video());
  return add_moved(frame.side_data(), side_data, [&area](reel::Detection& box) {
    box.x -= static_cast<float>(area.x);
    box.y -= static_cast<float>(area.y);
    return cut_to(area.size(), box);
  });
}

}  // namespace

REEL_STAGE(Crop, "opencv.crop", "cuts a part out of video", kPictureIn, kOutputs, kOptions)
