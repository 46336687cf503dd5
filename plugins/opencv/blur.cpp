// Stage `opencv.blur`: blurs the picture, or only what was found in it (faces, say); pixel format and size
// stay. Planes are blurred each where it lies.
#include "picture_filter.hpp"
#include "planes.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the blurred picture, same pixel format"}};
constexpr std::array kOptions{
    OptionSpec{"radius", OptionType::integer, "8", "pixels to each side that count, at most", "1..200"},
    OptionSpec{"kind", OptionType::text, "gaussian", "box is faster at a large radius, and rougher",
               "gaussian|box"},
    OptionSpec{"boxes", OptionType::boolean, "false",
               "blur within the boxes of the side data only: hides what was found"},
    OptionSpec{"label", OptionType::text, "", "with boxes: those of this label only; empty: all"},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

class Blur final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    radius_ = static_cast<int>(options.integer("radius"));
    gaussian_ = options.text("kind") == "gaussian";
    boxes_ = options.boolean("boxes");
    label_ = options.text("label");
    threads_ = static_cast<int>(options.integer("threads"));
    if (!label_.empty() && !boxes_)
      throw reel::Error(reel::ErrorCode::bad_config,
                        "label \"" + label_ + "\" chooses among boxes: set `boxes: true` too");
  }
  void start(reel::StageContext& /*context*/) override { cv::setNumThreads(threads_); }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;
  [[nodiscard]] std::vector<cv::Rect> parts_of(const reel::Frame& frame) const;
  void blur_part(const PlaneMat& from, cv::Mat& to, const cv::Rect& part, reel::PixelFormat pixel) const;
  void blur(const cv::Mat& from, cv::Mat& to, const cv::Rect& part, cv::Size step) const;

  int radius_ = 8, threads_ = 1;
  bool gaussian_ = true, boxes_ = false;
  std::string label_;
};

// Whole pixel pairs, so that each has its own chroma.
std::vector<cv::Rect> Blur::parts_of(const reel::Frame& frame) const {
  const reel::VideoFormat& video = *frame.format().video();
  const cv::Rect whole(0, 0, static_cast<int>(video.width), static_cast<int>(video.height));
  if (!boxes_) return {whole};
  std::vector<cv::Rect> parts;
  for (const auto& entry : frame.side_data())
    for (const reel::Detection& box : reel::SideDataView::detections(entry)) {
      if (!label_.empty() && box.label_text() != label_) continue;
      const auto pixel = [](float value) { return static_cast<int>(std::clamp(value, -1e6F, 1e6F)) & ~1; };
      if (!std::isfinite(box.x + box.y + box.width + box.height)) continue;
      const cv::Point from(pixel(box.x), pixel(box.y));
      const cv::Point to(pixel(box.x + box.width + 2), pixel(box.y + box.height + 2));
      if (const cv::Rect part = cv::Rect(from, to) & whole; !part.empty()) parts.push_back(part);
    }
  return parts;
}

reel::Loan Blur::fill(reel::Output& output, const reel::Frame& frame) {
  const reel::PixelFormat pixel = frame.format().video()->pixel;
  reel::Loan loan = output.acquire();
  const auto from = plane_mats(frame);
  auto to = plane_mats(loan);
  const std::vector<cv::Rect> parts = parts_of(frame);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (boxes_) from[i].mat.copyTo(to[i].mat);
    for (const cv::Rect& part : parts) blur_part(from[i], to[i].mat, part, pixel);
  }
  return loan;
}

void Blur::blur_part(const PlaneMat& from, cv::Mat& to, const cv::Rect& part, reel::PixelFormat pixel) const {
  if (!is_packed_422(pixel)) {
    const cv::Rect here(part.x / from.step.width, part.y / from.step.height,
                        (part.width + from.step.width - 1) / from.step.width,
                        (part.height + from.step.height - 1) / from.step.height);
    return blur(from.mat, to, here, from.step);
  }
  // Luma of every pixel and chroma of every pair are planes of their own meanwhile.
  const cv::Rect pairs(part.x / 2, part.y, (part.width + 1) / 2, part.height);
  const cv::Rect pixels(pairs.x * 2, pairs.y, pairs.width * 2, pairs.height);
  cv::Mat luma, chroma(from.mat.rows, from.mat.cols / 2, CV_8UC2);
  cv::extractChannel(from.mat, luma, luma_channel(pixel));
  const cv::Mat quads = from.mat.reshape(4);
  const int yuy2[] = {1, 0, 3, 1}, uyvy[] = {0, 0, 2, 1};
  cv::mixChannels(&quads, 1, &chroma, 1, pixel == reel::PixelFormat::YUY2 ? yuy2 : uyvy, 2);
  cv::Mat soft_luma = luma.clone(), soft_chroma = chroma.clone();
  blur(luma, soft_luma, pixels, {1, 1});
  blur(chroma, soft_chroma, pairs, {2, 1});
  const cv::Mat sources[] = {soft_luma(pixels).clone().reshape(2), soft_chroma(pairs)};
  cv::Mat target = to.reshape(4)(pairs);
  const int to_yuy2[] = {0, 0, 2, 1, 1, 2, 3, 3}, to_uyvy[] = {2, 0, 0, 1, 3, 2, 1, 3};
  cv::mixChannels(sources, 2, &target, 1, pixel == reel::PixelFormat::YUY2 ? to_yuy2 : to_uyvy, 4);
}

// What lies around the part counts as far as the picture goes.
void Blur::blur(const cv::Mat& from, cv::Mat& to, const cv::Rect& part, cv::Size step) const {
  const auto kernel = [this](int pixels) { return 2 * std::max(1, radius_ / pixels) + 1; };
  const cv::Size size(kernel(step.width), kernel(step.height));
  cv::Mat target = to(part);
  if (gaussian_)
    cv::GaussianBlur(from(part), target, size, 0, 0, cv::BORDER_REPLICATE);
  else
    cv::blur(from(part), target, size, cv::Point(-1, -1), cv::BORDER_REPLICATE);
}

}  // namespace

REEL_STAGE(Blur, "opencv.blur", "blurs video, or what was found in it", kPictureIn, kOutputs, kOptions)
