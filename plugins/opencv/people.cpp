// Stage `opencv.people`: finds people on foot (HOG, OpenCV's own detector, trained on Daimler's and INRIA's
// pictures) and passes the picture on, one copy, with a box for each as side data.
#include "picture_filter.hpp"
#include "planes.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <reel/base/log.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.people";
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the same picture with a detections entry"}};
constexpr std::array kOptions{
    OptionSpec{"threshold", OptionType::number, "0.3", "least score of a person", "0..1"},
    OptionSpec{"width", OptionType::integer, "0",
               "the search is in a picture scaled to so many pixels (people in it are at least about 100 "
               "high); 0: in the picture as it is",
               "0..32768"},
    OptionSpec{"step", OptionType::number, "1.05",
               "from one size of people to the next; larger is faster and finds fewer", "1.01..2"},
    OptionSpec{"every", OptionType::integer, "1",
               "search each Nth frame; those between carry the boxes found last", "1..1000"},
    OptionSpec{"label", OptionType::text, "person", "label of the boxes, 31 bytes at most"},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

// OpenCV's window has room around the person.
constexpr double kRoomAtSides = 0.1, kRoomAbove = 0.07, kWidth = 0.8, kHeight = 0.86;

class People final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    threshold_ = options.number("threshold");
    width_ = static_cast<int>(options.integer("width"));
    step_ = options.number("step");
    every_ = static_cast<std::uint64_t>(options.integer("every"));
    label_ = options.text("label");
    threads_ = static_cast<int>(options.integer("threads"));
  }
  void start(reel::StageContext& /*context*/) override {
    cv::setNumThreads(threads_);
    hog_.setSVMDetector(cv::HOGDescriptor::getDefaultPeopleDetector());
  }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    return copy_picture(output, frame);
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  void stop(reel::StageContext& /*context*/) override {
    reel::log_info("people were found in " + std::to_string(with_people_) + " of " + std::to_string(frames_) +
                   " pictures");
  }
  void search(const cv::Mat& gray);

  double threshold_ = 0, step_ = 1.05;
  int width_ = 0, threads_ = 1;
  std::uint64_t every_ = 1, frames_ = 0, with_people_ = 0;
  std::string label_;
  cv::HOGDescriptor hog_;
  cv::Size size_;  // of the picture searched last
  std::vector<reel::Detection> boxes_;
};

void People::search(const cv::Mat& gray) {
  boxes_.clear();
  cv::Mat scaled = gray;
  double scale = 1;
  if (width_ != 0 && width_ != gray.cols) {
    scale = static_cast<double>(width_) / gray.cols;
    cv::resize(gray, scaled, cv::Size(width_, std::max(1, cvRound(gray.rows * scale))), 0, 0,
               scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  }
  if (scaled.cols < hog_.winSize.width || scaled.rows < hog_.winSize.height) return;  // nobody fits into it
  std::vector<cv::Rect> found;
  std::vector<double> weights;
  hog_.detectMultiScale(scaled, found, weights, 0, cv::Size(8, 8), cv::Size(), step_);
  const auto in_picture = [scale](double pixels) { return static_cast<float>(pixels / scale); };
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double score = weights[i] / (1 + weights[i]);  // the distance from the detector's plane, as 0 to 1
    if (score < threshold_) continue;
    const cv::Rect& box = found[i];
    reel::Detection person{.score = static_cast<float>(score),
                           .x = in_picture(box.x + kRoomAtSides * box.width),
                           .y = in_picture(box.y + kRoomAbove * box.height),
                           .width = in_picture(kWidth * box.width),
                           .height = in_picture(kHeight * box.height)};
    person.set_label(label_);
    boxes_.push_back(person);
  }
  std::stable_sort(boxes_.begin(), boxes_.end(),
                   [](const reel::Detection& a, const reel::Detection& b) { return a.score > b.score; });
}

bool People::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const cv::Mat gray = gray_of(frame);
  if (frames_++ % every_ == 0 || gray.size() != size_) search(gray);
  size_ = gray.size();
  with_people_ += boxes_.empty() ? 0 : 1;
  const bool found_fits = boxes_.empty() || side_data.add_detections(kName, boxes_);
  return side_data.add_all(frame.side_data()) && found_fits;
}

}  // namespace

REEL_STAGE(People, kName, "finds people on foot (HOG)", kPictureIn, kOutputs, kOptions)
