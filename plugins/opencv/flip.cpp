// Stage `opencv.flip`: mirrors the picture, the boxes in its side data with it; pixel format and size stay.
#include "picture_filter.hpp"
#include "planes.hpp"
#include "side_boxes.hpp"

#include <map>
#include <string>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the mirrored picture, same pixel format"}};
constexpr std::array kOptions{OptionSpec{"direction", OptionType::text, "horizontal",
                                         "horizontal: left and right change places; vertical: top and "
                                         "bottom; both: turned by 180 degrees",
                                         "horizontal|vertical|both"}};

class Flip final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    const std::string& direction = options.text("direction");
    horizontal_ = direction != "vertical";
    vertical_ = direction != "horizontal";
  }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  void flip_packed_422(const cv::Mat& from, cv::Mat& to, const reel::VideoFormat& video) const;

  bool horizontal_ = true, vertical_ = false;
};

reel::Loan Flip::fill(reel::Output& output, const reel::Frame& frame) {
  const reel::VideoFormat& video = *frame.format().video();
  reel::Loan loan = output.acquire();
  const auto from = plane_mats(frame);
  auto to = plane_mats(loan);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (horizontal_ && is_packed_422(video.pixel))
      flip_packed_422(from[i].mat, to[i].mat, video);
    else
      cv::flip(from[i].mat, to[i].mat, horizontal_ ? (vertical_ ? -1 : 1) : 0);
  }
  return loan;
}

// Luma sample by sample, chroma pair by pair: a pair's two luma samples change places within it.
void Flip::flip_packed_422(const cv::Mat& from, cv::Mat& to, const reel::VideoFormat& video) const {
  const int luma = luma_channel(video.pixel), chroma = 1 - luma;
  const int width = static_cast<int>(video.width), pairs = from.cols / 2;
  for (int row = 0; row < from.rows; ++row) {
    const std::uint8_t* in = from.ptr(vertical_ ? from.rows - 1 - row : row);
    std::uint8_t* out = to.ptr(row);
    for (int i = 0; i < width; ++i) out[2 * i + luma] = in[2 * (width - 1 - i) + luma];
    if (width % 2 != 0) out[2 * width + luma] = out[2 * (width - 1) + luma];  // nobody's: as the last
    for (int pair = 0; pair < pairs; ++pair) {
      const std::uint8_t* uv = in + 4 * (pairs - 1 - pair) + chroma;
      out[4 * pair + chroma] = uv[0];
      out[4 * pair + chroma + 2] = uv[2];
    }
  }
}

bool Flip::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const reel::VideoFormat& video = *frame.format().video();
  return add_moved(frame.side_data(), side_data, [&](reel::Detection& box) {
    if (horizontal_) box.x = static_cast<float>(video.width) - box.x - box.width;
    if (vertical_) box.y = static_cast<float>(video.height) - box.y - box.height;
    return true;
  });
}

}  // namespace

REEL_STAGE(Flip, "opencv.flip", "mirrors video", kPictureIn, kOutputs, kOptions)
