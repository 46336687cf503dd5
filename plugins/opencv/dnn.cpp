// Stage `opencv.dnn`: runs a detection or classification model in ONNX form on each picture, as the model's
// description file says, and passes the picture on, one copy, with what was found as side data.
#include "model_description.hpp"
#include "model_outputs.hpp"
#include "picture_filter.hpp"
#include "planes.hpp"
#include "side_boxes.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.dnn";
constexpr std::array kOutputs{
    PortSpec{"out", reel::kTakesVideo,
             "the same picture with a detections entry; of a class, the box is the whole picture"}};
constexpr std::array kOptions{
    OptionSpec{"model", OptionType::path, nullptr,
               "YAML file that describes the .onnx: plugins/opencv/README.md explains its keys"},
    OptionSpec{"threshold", OptionType::number, "0", "least score; 0: as the description says", "0..1"},
    OptionSpec{"every", OptionType::integer, "1",
               "search each Nth frame; those between carry what was found last", "1..1000"},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

// Where in the picture the model looks, and where in its input that lies.
struct View {
  cv::Rect picture, input;
};

class Dnn final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    path_ = options.text("model");
    description_ = read_model_description(path_);
    if (options.number("threshold") > 0) description_.threshold = options.number("threshold");
    every_ = static_cast<std::uint64_t>(options.integer("every"));
    threads_ = static_cast<int>(options.integer("threads"));
  }
  void start(reel::StageContext& context) override;

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    return copy_picture(output, frame);
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  [[nodiscard]] std::vector<std::string> chosen(std::vector<std::string> names) const;
  [[nodiscard]] View view_of(cv::Size picture) const;
  [[nodiscard]] cv::Mat input_of(const reel::Frame& frame, const View& view) const;
  [[nodiscard]] std::vector<Finding> run(const cv::Mat& input);
  void search(const reel::Frame& frame);

  std::string path_;
  ModelDescription description_;
  std::uint64_t every_ = 1, frames_ = 0;
  int threads_ = 1;
  cv::dnn::Net net_;
  std::vector<std::string> first_outputs_, second_outputs_;  // boxes or classes; scores
  cv::Size size_;                                            // of the picture searched last
  std::vector<reel::Detection> found_;
};

// The network's outputs of these names; its only one where none is named.
std::vector<std::string> Dnn::chosen(std::vector<std::string> names) const {
  const std::vector<std::string> there = net_.getUnconnectedOutLayersNames();
  if (names.empty() && there.size() == 1) return there;
  if (names.empty())
    throw reel::Error(
        reel::ErrorCode::bad_config,
        "the model has several outputs, and the description names none of them: " + reel::join_or(there),
        path_);
  for (const std::string& name : names)
    if (std::find(there.begin(), there.end(), name) == there.end())
      throw reel::Error(reel::ErrorCode::bad_config,
                        "the model has no output \"" + name + "\": its outputs are " + reel::join_or(there),
                        path_);
  return names;
}

void Dnn::start(reel::StageContext& /*context*/) {
  cv::setNumThreads(threads_);
  if (!std::filesystem::exists(description_.model))
    throw reel::Error(reel::ErrorCode::not_found,
                      "no model \"" + description_.model +
                          "\": `model` in the description is a path from the "
                          "description's own directory",
                      path_);
  const ModelInput& input = description_.input;
  try {
    net_ = cv::dnn::readNetFromONNX(description_.model);
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    if (description_.classifies) {
      first_outputs_ = chosen(description_.classes.scores);
    } else {
      first_outputs_ = chosen(description_.boxes.boxes);
      if (!description_.boxes.scores.empty()) second_outputs_ = chosen(description_.boxes.scores);
    }
    // Once with nothing: whether input and outputs are as described shows now, not at the first frame.
    const int channels = input.colours == ModelColours::gray ? 1 : 3;
    const std::vector<int> shape = input.channels_last
                                       ? std::vector<int>{1, input.height, input.width, channels}
                                       : std::vector<int>{1, channels, input.height, input.width};
    (void)run(cv::Mat(shape, CV_32F, cv::Scalar(0)));
  } catch (const cv::Exception& problem) {
    throw reel::Error(reel::ErrorCode::bad_config,
                      "\"" + description_.model +
                          "\" cannot be run by OpenCV " CV_VERSION " with an input of " +
                          std::to_string(input.width) + " x " + std::to_string(input.height) + " in " +
                          (input.channels_last ? "NHWC" : "NCHW") + ": " + problem.err,
                      path_);
  } catch (const reel::Error& problem) {
    throw reel::Error(problem.code(), problem.message(), path_);
  }
}

View Dnn::view_of(cv::Size picture) const {
  const cv::Size input(description_.input.width, description_.input.height);
  const double across = static_cast<double>(input.width) / picture.width;
  const double down = static_cast<double>(input.height) / picture.height;
  const auto scaled = [](int side, double scale, int most) {
    return std::clamp(cvRound(side * scale), 1, most);
  };
  View view{cv::Rect({0, 0}, picture), cv::Rect({0, 0}, input)};
  if (description_.input.fit == ModelFit::letterbox) {
    const double scale = std::min(across, down);
    view.input.width = scaled(picture.width, scale, input.width);
    view.input.height = scaled(picture.height, scale, input.height);
    view.input.x = (input.width - view.input.width) / 2;
    view.input.y = (input.height - view.input.height) / 2;
  } else if (description_.input.fit == ModelFit::crop) {
    const double scale = std::max(across, down);
    view.picture.width = scaled(input.width, 1 / scale, picture.width);
    view.picture.height = scaled(input.height, 1 / scale, picture.height);
    view.picture.x = (picture.width - view.picture.width) / 2;
    view.picture.y = (picture.height - view.picture.height) / 2;
  }
  return view;
}

cv::Mat Dnn::input_of(const reel::Frame& frame, const View& view) const {
  const ModelInput& input = description_.input;
  cv::Mat seen, square(input.height, input.width, CV_8UC3, cv::Scalar::all(input.pad));
  reel::to_bgr_scaled(frame, view.picture, view.input.size(), seen);
  seen.copyTo(square(view.input));
  if (input.colours == ModelColours::rgb) cv::cvtColor(square, square, cv::COLOR_BGR2RGB);
  if (input.colours == ModelColours::gray) cv::cvtColor(square, square, cv::COLOR_BGR2GRAY);
  std::vector<cv::Mat> planes;
  cv::split(square, planes);
  for (std::size_t i = 0; i < planes.size(); ++i)
    planes[i].convertTo(planes[i], CV_32F, input.scale[i], -input.mean[i] * input.scale[i]);
  const int channels = static_cast<int>(planes.size());
  if (input.channels_last) {
    cv::Mat pixels;
    cv::merge(planes, pixels);
    return pixels.reshape(1, {1, input.height, input.width, channels}).clone();
  }
  cv::Mat blob(std::vector<int>{1, channels, input.height, input.width}, CV_32F);
  for (int i = 0; i < channels; ++i)
    planes[static_cast<std::size_t>(i)].copyTo(
        cv::Mat(input.height, input.width, CV_32F, blob.ptr<float>(0, i)));
  return blob;
}

std::vector<Finding> Dnn::run(const cv::Mat& input) {
  std::vector<std::string> names = first_outputs_;
  names.insert(names.end(), second_outputs_.begin(), second_outputs_.end());
  std::vector<cv::Mat> outputs;
  net_.setInput(input);
  net_.forward(outputs, names);
  if (description_.classifies)
    return decode_classes(description_.classes, outputs.at(0), description_.threshold);
  const auto second = outputs.begin() + static_cast<std::ptrdiff_t>(first_outputs_.size());
  return decode_boxes(description_.boxes, description_.input, {outputs.begin(), second},
                      {second, outputs.end()}, description_.threshold);
}

void Dnn::search(const reel::Frame& frame) {
  const View view = view_of(size_);
  const float across = static_cast<float>(view.picture.width) / static_cast<float>(view.input.width);
  const float down = static_cast<float>(view.picture.height) / static_cast<float>(view.input.height);
  found_.clear();
  for (const Finding& finding : run(input_of(frame, view))) {
    const cv::Rect2f box = description_.classifies ? cv::Rect2f(view.input) : finding.box;
    reel::Detection detection{
        .score = finding.score,
        .x = static_cast<float>(view.picture.x) + (box.x - static_cast<float>(view.input.x)) * across,
        .y = static_cast<float>(view.picture.y) + (box.y - static_cast<float>(view.input.y)) * down,
        .width = box.width * across,
        .height = box.height * down};
    detection.set_label(description_.label(finding.number));
    if (cut_to(size_, detection)) found_.push_back(detection);
  }
}

bool Dnn::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const reel::VideoFormat& video = *frame.format().video();
  const cv::Size size(static_cast<int>(video.width), static_cast<int>(video.height));
  const bool changed = std::exchange(size_, size) != size;
  if (frames_++ % every_ == 0 || changed) search(frame);
  const bool found_fits = found_.empty() || side_data.add_detections(kName, found_);
  return side_data.add_all(frame.side_data()) && found_fits;
}

}  // namespace

REEL_STAGE(Dnn, kName, "runs an ONNX model that a description file explains", kPictureIn, kOutputs, kOptions)
