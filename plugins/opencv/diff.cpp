// Stage `opencv.diff`: how two pictures differ: a picture of the difference for each picture of `in`, and the
// figures as JSON. Each is compared with the newest picture of `with`: it waits for one that came after the
// picture before it, until the next picture of `in` at most. Where the file joins the inputs (`join`) the two
// come together, and each is compared with the picture of its own time.
#include "held_picture.hpp"
#include "picture_filter.hpp"
#include "planes.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/log.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.diff";
constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesVideo, "raw video; what comes out has its times, size and side data"},
    PortSpec{"with", reel::kTakesVideo, "raw video to compare with, scaled to the size of `in`"}};
constexpr std::array kOutputs{PortSpec{
    "out", reel::kTakesVideo,
    "the difference, with {\"differs\" (share of pixels), \"mean\" (0 to 255), \"psnr_db\" (null: equal)}"}};
constexpr std::array kOptions{
    OptionSpec{"show", OptionType::text, "difference",
               "difference: of each colour; mask: GRAY8, 255 where the pictures differ", "difference|mask"},
    OptionSpec{"threshold", OptionType::integer, "25",
               "a pixel differs when one of its colours does by more, of 255", "0..254"},
    OptionSpec{"gain", OptionType::number, "1", "the difference that is shown, times this", "0.1..255"},
    OptionSpec{"format", OptionType::text, "same", "pixel format of the difference; same: as what comes in",
               kPixelFormatNames},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

class Diff final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override {
    mask_ = options.text("show") == "mask";
    threshold_ = static_cast<double>(options.integer("threshold"));
    gain_ = options.number("gain");
    pixel_ = pixel_format_option(options.text("format"));
    threads_ = static_cast<int>(options.integer("threads"));
  }
  void start(reel::StageContext& /*context*/) override { cv::setNumThreads(threads_); }
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;

 private:
  [[nodiscard]] reel::Format output_format(const reel::VideoFormat& video) const;
  void answer(reel::Output& output);
  [[nodiscard]] nlohmann::json figures(const cv::Mat& difference, const cv::Mat& differs) const;

  bool mask_ = false;
  double threshold_ = 25, gain_ = 1;
  int threads_ = 1;
  std::optional<reel::PixelFormat> pixel_;
  std::optional<HeldPicture> waiting_;  // of `in`, not yet answered
  cv::Mat in_, with_;                   // as BGR
  bool fresh_ = false;                  // with_ came after the last answer
  bool with_ended_ = false;
  bool warned_ = false;
  std::uint64_t alone_ = 0;  // pictures of `in` before the first of `with`
};

reel::Format Diff::output_format(const reel::VideoFormat& video) const {
  reel::VideoFormat format = video;
  if (mask_)
    format.pixel = reel::PixelFormat::GRAY8;
  else if (pixel_)
    format.pixel = *pixel_;
  return format;
}

void Diff::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  (void)require_video(frame, input.stream());
  if (input.port() == "with") {
    reel::to_bgr(frame, with_);
    fresh_ = true;
  } else {
    answer(context.output());
    reel::to_bgr(frame, in_);
    waiting_.emplace(frame);
  }
  if (fresh_ || with_ended_) answer(context.output());
}

// Gaps and events of `in` go on, behind the picture before them.
void Diff::other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  if (input.port() == "with") return;
  answer(context.output());
  context.output().follow(frame, output_format(require_video(frame, input.stream())));
  context.output().write(frame.data(), frame.info(), frame.side_data());
}

void Diff::input_ended(reel::StageContext& context, reel::Input& input) {
  answer(context.output());
  if (input.port() == "with") {
    with_ended_ = true;
    return;
  }
  if (alone_ != 0)
    reel::log_warning(std::to_string(alone_) + " pictures of the stream '" + input.stream() +
                      "' came before there was one to compare them with, and are left out");
  context.finish();  // without `in` nothing comes out
}

void Diff::answer(reel::Output& output) {
  if (!waiting_) return;
  const HeldPicture held = *std::exchange(waiting_, std::nullopt);
  fresh_ = false;
  if (with_.empty()) {
    ++alone_;
    return;
  }
  cv::Mat other = with_, difference, largest, differs;
  if (other.size() != in_.size()) cv::resize(with_, other, in_.size(), 0, 0, cv::INTER_AREA);
  cv::absdiff(in_, other, difference);
  cv::Mat colours[3];
  cv::split(difference, colours);
  cv::max(colours[0], colours[1], largest);
  cv::max(largest, colours[2], largest);
  cv::threshold(largest, differs, threshold_, 255, cv::THRESH_BINARY);
  const std::string said = figures(difference, differs).dump();

  held.lead(output, output_format(held.video()));
  reel::Loan loan = output.acquire();
  if (mask_) {
    fill_from_gray(differs, loan);
  } else {
    if (gain_ != 1) difference.convertTo(difference, -1, gain_);
    reel::from_bgr(difference, loan);
  }
  bool fits = loan.side_data().add_json(kName, said);
  fits = loan.side_data().add_all(held.side_data()) && fits;
  if (!fits && !std::exchange(warned_, true)) tell_left_out(output, loan.side_data());
  output.publish(std::move(loan), held.info());
}

nlohmann::json Diff::figures(const cv::Mat& difference, const cv::Mat& differs) const {
  const double values = 3.0 * static_cast<double>(difference.total());
  const double mean = cv::norm(difference, cv::NORM_L1) / values;
  const double square = cv::norm(difference, cv::NORM_L2SQR) / values;
  nlohmann::json figures{
      {"differs", static_cast<double>(cv::countNonZero(differs)) / static_cast<double>(differs.total())},
      {"mean", mean},
      {"psnr_db", nullptr}};
  if (square > 0) figures["psnr_db"] = 10 * std::log10(255.0 * 255.0 / square);
  return figures;
}

}  // namespace

REEL_STAGE(Diff, kName, "how two pictures differ", kInputs, kOutputs, kOptions)
