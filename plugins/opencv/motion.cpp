// Stage `opencv.motion`: how much of the picture moves, and where, as side data; the picture passes on, one
// copy.
#include "moving.hpp"
#include "picture_filter.hpp"
#include "planes.hpp"
#include "zones.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/log.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.motion";
constexpr std::array kOutputs{PortSpec{
    "out", reel::kTakesVideo, "the same picture with a motion entry, and detections where it moves"}};
constexpr std::array kOptions{
    kSensitivityOption,
    OptionSpec{"zones", OptionType::list, "",
               "what is watched: \"NAME X Y WIDTH HEIGHT\" or corners \"NAME X Y X Y X Y\", in shares of the "
               "picture; none: all of it"},
    OptionSpec{"min_area", OptionType::number, "0.001", "share of the picture that a box covers, at least",
               "0..1"},
    OptionSpec{"width", OptionType::integer, "320",
               "the search is in a picture scaled down to so many pixels; 0: in the picture as it is",
               "0..32768"},
    kHistoryOption,
    kWarmUpOption,
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

class Motion final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    zones_ = parse_zones(options.list("zones"));
    min_area_ = options.number("min_area");
    width_ = static_cast<int>(options.integer("width"));
    threads_ = static_cast<int>(options.integer("threads"));
    moving_.emplace(options);
  }
  void start(reel::StageContext& /*context*/) override { cv::setNumThreads(threads_); }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    return copy_picture(output, frame);
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  void stop(reel::StageContext& /*context*/) override {
    reel::log_info("something moved in " + std::to_string(with_motion_) + " of " + std::to_string(frames_) +
                   " pictures");
  }
  void make_masks(cv::Size size);
  void add_boxes(const cv::Mat& moving, const std::string& label, float score, cv::Size picture);

  std::vector<Zone> zones_;
  double min_area_ = 0;
  int width_ = 320, threads_ = 1;
  std::uint64_t frames_ = 0, with_motion_ = 0;
  std::optional<MovingPixels> moving_;
  std::vector<cv::Mat> masks_;  // of the zones, and last of all of them together
  std::vector<reel::Detection> boxes_;
};

void Motion::make_masks(cv::Size size) {
  if (!masks_.empty() && masks_[0].size() == size) return;
  masks_.clear();
  cv::Mat all(size, CV_8UC1, cv::Scalar(zones_.empty() ? 255 : 0));
  for (const Zone& zone : zones_) {
    masks_.push_back(zone_mask(zone, size));
    all |= masks_.back();
  }
  masks_.push_back(all);
}

float share_of(const cv::Mat& moving, const cv::Mat& mask) {
  const int pixels = cv::countNonZero(mask);
  cv::Mat both;
  cv::bitwise_and(moving, mask, both);
  return pixels == 0 ? 0 : static_cast<float>(cv::countNonZero(both)) / static_cast<float>(pixels);
}

// Parts that lie near each other are one: legs and a body.
void Motion::add_boxes(const cv::Mat& moving, const std::string& label, float score, cv::Size picture) {
  cv::Mat joined;
  const int reach = std::max(3, moving.cols / 40) | 1;
  cv::morphologyEx(moving, joined, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_RECT, cv::Size(reach, reach)));
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(joined, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
  const float scale_x = static_cast<float>(picture.width) / static_cast<float>(moving.cols);
  const float scale_y = static_cast<float>(picture.height) / static_cast<float>(moving.rows);
  for (const auto& outline : outlines) {
    const cv::Rect area = cv::boundingRect(outline);
    if (area.area() < min_area_ * moving.size().area()) continue;
    reel::Detection box{.score = score,
                        .x = static_cast<float>(area.x) * scale_x,
                        .y = static_cast<float>(area.y) * scale_y,
                        .width = static_cast<float>(area.width) * scale_x,
                        .height = static_cast<float>(area.height) * scale_y};
    box.set_label(label);
    boxes_.push_back(box);
  }
}

bool Motion::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const reel::VideoFormat& video = *frame.format().video();
  const cv::Size picture(static_cast<int>(video.width), static_cast<int>(video.height));
  cv::Size size = picture;
  if (width_ != 0 && width_ < picture.width)
    size = {width_, std::max(1, cvRound(static_cast<double>(picture.height) * width_ / picture.width))};
  cv::Mat small;
  reel::to_bgr_scaled(frame, cv::Rect({0, 0}, picture), size, small);
  cv::Mat moving;
  // Without single pixels: noise.
  cv::morphologyEx(moving_->find(small), moving, cv::MORPH_OPEN,
                   cv::getStructuringElement(cv::MORPH_RECT, cv::Size(3, 3)));

  make_masks(size);
  boxes_.clear();
  nlohmann::json of_zones = nlohmann::json::object();
  for (std::size_t i = 0; i < zones_.size(); ++i) {
    const float score = share_of(moving, masks_[i]);
    of_zones[zones_[i].name] = score;
    add_boxes(moving & masks_[i], zones_[i].name, score, picture);
  }
  const float score = share_of(moving, masks_.back());
  if (zones_.empty()) add_boxes(moving, "motion", score, picture);

  ++frames_;
  with_motion_ += boxes_.empty() ? 0 : 1;
  bool fits = side_data.add_motion(kName, {score});
  if (!boxes_.empty()) fits = side_data.add_detections(kName, boxes_) && fits;
  if (!zones_.empty())
    fits = side_data.add_json(kName, nlohmann::json{{"zones", of_zones}}.dump(
                                         -1, ' ', false, nlohmann::json::error_handler_t::replace)) &&
           fits;
  return side_data.add_all(frame.side_data()) && fits;
}

}  // namespace

REEL_STAGE(Motion, kName, "finds what moves (MOG2)", kPictureIn, kOutputs, kOptions)
