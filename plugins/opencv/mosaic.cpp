// Stage `opencv.mosaic`: several videos in one picture, each in its place, the boxes in their side data with
// them. A picture comes out when every input that goes on has a new one, or one of them has the next:
// whoever is late or gone holds nobody up. Where the file joins the inputs (`join`) one comes out for each
// set.
#include "annotation.hpp"
#include "held_picture.hpp"
#include "picture_filter.hpp"
#include "side_boxes.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesVideo, "raw video of any pixel format and size", true, true}};
constexpr std::array kOutputs{PortSpec{
    "out", reel::kTakesVideo, "all of them; times are those of the first input that has a new picture"}};
constexpr std::array kOptions{
    OptionSpec{"width", OptionType::integer, "1280", "of what comes out, pixels", "16..32768"},
    OptionSpec{"height", OptionType::integer, "720", "of what comes out, pixels", "16..32768"},
    OptionSpec{"columns", OptionType::integer, "0", "places in a row; 0: as many as rows, or one more",
               "0..64"},
    OptionSpec{"gap", OptionType::integer, "4", "pixels between the pictures", "0..256"},
    OptionSpec{"names", OptionType::boolean, "true", "write each stream's name on its picture"},
    OptionSpec{"format", OptionType::text, "BGR", "pixel format of what comes out",
               "I420|NV12|NV21|YUY2|UYVY|RGB|BGR|RGBx|BGRx|RGBA|BGRA|Y444|GRAY8|GRAY16_LE"},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

constexpr double kEndedBrightness = 0.3;  // of a picture whose stream has ended

class Mosaic final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override {
    video_.width = static_cast<std::uint32_t>(options.integer("width"));
    video_.height = static_cast<std::uint32_t>(options.integer("height"));
    video_.pixel = *pixel_format_option(options.text("format"));
    columns_ = static_cast<int>(options.integer("columns"));
    gap_ = static_cast<int>(options.integer("gap"));
    names_ = options.boolean("names");
    threads_ = static_cast<int>(options.integer("threads"));
  }
  void start(reel::StageContext& context) override;
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;

 private:
  struct Tile {
    cv::Rect place{};                   // in the canvas
    cv::Rect picture{};                 // within it, the rest is black
    std::optional<HeldPicture> held{};  // the newest
    bool fresh = false;                 // it has not come out yet
    bool open = true;
  };
  void draw(Tile& tile, const reel::Frame& frame, const std::string& name);
  [[nodiscard]] bool complete() const;
  void give(reel::Output& output);
  [[nodiscard]] std::int64_t time_of(const HeldPicture& held, reel::Output& output);
  [[nodiscard]] bool add_side_data(reel::SideDataWriter& side_data) const;

  reel::VideoFormat video_;
  int columns_ = 0, gap_ = 0, threads_ = 1;
  bool names_ = true, warned_ = false;
  cv::Mat canvas_;
  std::vector<Tile> tiles_;
  bool timed_ = false;                      // offset_ns_ is known, and the output's segment has it
  std::int64_t offset_ns_ = reel::kNoTime;  // CLOCK_MONOTONIC minus the times that come out
  std::int64_t last_pts_ns_ = reel::kNoTime;
};

void Mosaic::start(reel::StageContext& context) {
  cv::setNumThreads(threads_);
  const int count = static_cast<int>(context.inputs().size());
  const int columns = columns_ != 0 ? columns_ : static_cast<int>(std::ceil(std::sqrt(count)));
  const int rows = (count + columns - 1) / columns;
  const cv::Size size(static_cast<int>(video_.width), static_cast<int>(video_.height));
  const int width = (size.width - gap_ * (columns - 1)) / columns;
  const int height = (size.height - gap_ * (rows - 1)) / rows;
  if (width < 2 || height < 2)
    throw reel::Error(reel::ErrorCode::bad_config,
                      std::to_string(count) + " pictures in " + std::to_string(columns) +
                          " columns with a gap of " + std::to_string(gap_) + " do not fit into " +
                          std::to_string(size.width) + " x " + std::to_string(size.height) +
                          ": raise `width` and `height`, or lower `columns` or `gap`");
  canvas_ = cv::Mat(size, CV_8UC3, cv::Scalar::all(0));
  for (int i = 0; i < count; ++i)
    tiles_.push_back({cv::Rect(i % columns * (width + gap_), i / columns * (height + gap_), width, height)});
}

void Mosaic::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  (void)require_video(frame, input.stream());
  Tile& tile = tiles_[input.index()];
  if (tile.fresh) give(context.output());  // the others are late
  draw(tile, frame, input.stream());
  tile.held.emplace(frame);
  tile.fresh = true;
  if (complete()) give(context.output());
}

// Events go on; a gap is no picture.
void Mosaic::other(reel::StageContext& context, reel::Input& /*input*/, const reel::Frame& frame) {
  if (frame.info().kind != reel::FrameKind::event) return;
  context.output().set_format(video_);
  context.output().write(frame.data(), frame.info(), frame.side_data());
}

void Mosaic::input_ended(reel::StageContext& context, reel::Input& input) {
  Tile& tile = tiles_[input.index()];
  tile.open = false;
  if (tile.fresh || complete()) give(context.output());
  canvas_(tile.place) *= kEndedBrightness;
  tile.held.reset();  // what was found in it is over
}

// Aspect kept, in the middle of its place.
void Mosaic::draw(Tile& tile, const reel::Frame& frame, const std::string& name) {
  const reel::VideoFormat& video = *frame.format().video();
  const double scale = std::min(static_cast<double>(tile.place.width) / video.width,
                                static_cast<double>(tile.place.height) / video.height);
  const cv::Size size(std::clamp(cvRound(video.width * scale), 1, tile.place.width),
                      std::clamp(cvRound(video.height * scale), 1, tile.place.height));
  const cv::Rect picture(tile.place.x + (tile.place.width - size.width) / 2,
                         tile.place.y + (tile.place.height - size.height) / 2, size.width, size.height);
  if (picture != tile.picture) canvas_(tile.place).setTo(cv::Scalar::all(0));
  tile.picture = picture;
  cv::Mat target = canvas_(picture), scaled;
  reel::to_bgr_scaled(frame, cv::Rect(0, 0, static_cast<int>(video.width), static_cast<int>(video.height)),
                      size, scaled);
  scaled.copyTo(target);
  if (names_) draw_name(target, name);
}

bool Mosaic::complete() const {
  const bool late =
      std::any_of(tiles_.begin(), tiles_.end(), [](const Tile& tile) { return tile.open && !tile.fresh; });
  return !late && std::any_of(tiles_.begin(), tiles_.end(), [](const Tile& tile) { return tile.fresh; });
}

// Every stream has a time line of its own; what comes out goes on with the one that came first, also when
// that one has ended. Streams that are bound to the clock are placed on it by that.
std::int64_t Mosaic::time_of(const HeldPicture& held, reel::Output& output) {
  if (!std::exchange(timed_, true)) {
    offset_ns_ = held.monotonic_offset_ns();
    reel::Segment segment;
    segment.monotonic_offset_ns = offset_ns_;
    output.writer().set_segment(segment);
  }
  std::int64_t time_ns = held.running_ns();
  if (time_ns == reel::kNoTime) return time_ns;
  const std::int64_t own_ns = held.monotonic_offset_ns();
  std::int64_t between_ns = 0, placed_ns = 0;
  if (offset_ns_ != reel::kNoTime && own_ns != reel::kNoTime &&
      !__builtin_sub_overflow(own_ns, offset_ns_, &between_ns) &&
      !__builtin_add_overflow(time_ns, between_ns, &placed_ns))
    time_ns = placed_ns;
  if (last_pts_ns_ != reel::kNoTime) time_ns = std::max(time_ns, last_pts_ns_);
  return last_pts_ns_ = time_ns;
}

void Mosaic::give(reel::Output& output) {
  const auto first = std::find_if(tiles_.begin(), tiles_.end(), [](const Tile& tile) { return tile.fresh; });
  if (first == tiles_.end()) return;
  reel::FrameInfo info = first->held->info();
  info.flags = reel::kKeyFrame;
  info.offset = info.offset_end = ~std::uint64_t{0};  // one input's own count
  output.set_format(video_);
  info.pts_ns = time_of(*first->held, output);
  info.dts_ns = reel::kNoTime;
  if (first->held->tags()) output.writer().set_tags(*first->held->tags());
  for (Tile& tile : tiles_) tile.fresh = false;
  reel::Loan loan = output.acquire();
  reel::from_bgr(canvas_, loan);
  if (!add_side_data(loan.side_data()) && !std::exchange(warned_, true))
    tell_left_out(output, loan.side_data());
  output.publish(std::move(loan), info);
}

bool Mosaic::add_side_data(reel::SideDataWriter& side_data) const {
  bool all = true;
  for (const Tile& tile : tiles_) {
    if (!tile.held) continue;
    const float scale_x =
        static_cast<float>(tile.picture.width) / static_cast<float>(tile.held->video().width);
    const float scale_y =
        static_cast<float>(tile.picture.height) / static_cast<float>(tile.held->video().height);
    all = add_moved(tile.held->side_data(), side_data,
                    [&](reel::Detection& box) {
                      box.x = static_cast<float>(tile.picture.x) + box.x * scale_x;
                      box.y = static_cast<float>(tile.picture.y) + box.y * scale_y;
                      box.width *= scale_x;
                      box.height *= scale_y;
                      return true;
                    }) &&
          all;
  }
  return all;
}

}  // namespace

REEL_STAGE(Mosaic, "opencv.mosaic", "several videos in one picture", kInputs, kOutputs, kOptions)
