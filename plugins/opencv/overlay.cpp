// Stage `opencv.overlay`: draws what the side data says onto the picture: boxes with label and score, time,
// sound level.
#include "annotation.hpp"
#include "picture_filter.hpp"

#include <algorithm>

#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesVideo, "raw video of any pixel format", true, false},
    PortSpec{"level", reel::kTakesAudio, "sound whose level is drawn too (from audio.level)", false, false}};
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the picture with the drawing in it"}};
constexpr std::array kOptions{
    OptionSpec{"format", OptionType::text, "BGR", "pixel format of what comes out; same: as what comes in",
               kPixelFormatNames},
    OptionSpec{"boxes", OptionType::boolean, "true", "draw detections"},
    OptionSpec{"time", OptionType::boolean, "true", "draw the frame's presentation time"},
    OptionSpec{"level", OptionType::boolean, "true", "draw the sound level where there is one"}};

class Overlay final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    pixel_ = pixel_format_option(options.text("format"));
    boxes_ = options.boolean("boxes");
    time_ = options.boolean("time");
    level_ = options.boolean("level");
  }
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override {
    if (input.port() != "level") return PictureFilter::process(context, input, frame);
    if (const auto level = frame.side_data().audio_level()) heard_ = level;
  }
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override {
    if (input.port() != "level") PictureFilter::other(context, input, frame);
  }

 private:
  [[nodiscard]] reel::Format output_format(const reel::Frame& frame) const override {
    return with_pixel_format(frame, pixel_);
  }
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override;
  void draw(const reel::Frame& frame, cv::Mat& bgr) const;

  std::optional<reel::PixelFormat> pixel_;
  bool boxes_ = true, time_ = true, level_ = true;
  std::optional<reel::AudioLevel> heard_;  // on the second input
};

reel::Loan Overlay::fill(reel::Output& output, const reel::Frame& frame) {
  reel::Loan loan = output.acquire();
  if (loan.format().video()->pixel == reel::PixelFormat::BGR) {
    reel::WriteView picture = reel::write_view(loan);
    reel::to_bgr(frame, picture);
    draw(frame, picture.mat());
  } else {
    cv::Mat picture = reel::to_bgr(frame);
    draw(frame, picture);
    reel::from_bgr(picture, loan);
  }
  return loan;
}

void Overlay::draw(const reel::Frame& frame, cv::Mat& bgr) const {
  if (boxes_)
    for (const auto& entry : frame.side_data())
      for (const reel::Detection& box : reel::SideDataView::detections(entry)) draw_box(bgr, box);
  if (time_ && frame.info().pts_ns != reel::kNoTime) draw_time(bgr, frame.info().pts_ns);
  const auto level = frame.side_data().audio_level();
  if (level_ && (level || heard_)) draw_level(bgr, level ? *level : *heard_);
}

}  // namespace

REEL_STAGE(Overlay, "opencv.overlay", "draws boxes, labels, time and sound level from side data", kInputs,
           kOutputs, kOptions)
