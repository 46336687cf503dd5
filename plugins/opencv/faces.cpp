// Stage `opencv.faces`: finds faces with BlazeFace and passes the picture on, one copy, with a box for each
// as side data.
#include "face_search.hpp"
#include "model_path.hpp"
#include "picture_filter.hpp"
#include "planes.hpp"

#include <memory>
#include <vector>

#include <opencv2/core/utility.hpp>

#include <reel/channel/opencv_convert.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.faces";
constexpr const char* kShippedModel = "face_detection_front_128x128_barracuda.onnx";
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesVideo, "the same picture with a detections entry"}};
constexpr std::array kOptions{
    OptionSpec{"model", OptionType::path, "",
               "BlazeFace 128 x 128 as .onnx; empty: the one that comes with Reel"},
    OptionSpec{"threshold", OptionType::number, "0.6", "least score of a face", "0..1"},
    OptionSpec{"every", OptionType::integer, "1",
               "search each Nth frame; those between carry the boxes found last", "1..1000"},
    OptionSpec{
        "looks", OptionType::integer, "3",
        "squares of the picture searched in one frame, in turn, besides known faces; 0: all in every frame",
        "0..1000"},
    OptionSpec{"label", OptionType::text, "face", "label of the boxes, 31 bytes at most"},
    OptionSpec{"threads", OptionType::integer, "1", "processor cores that OpenCV may use", "1..64"}};

class Faces final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    model_ = options.given("model") ? options.text("model") : "";
    threshold_ = static_cast<float>(options.number("threshold"));
    every_ = static_cast<std::uint64_t>(options.integer("every"));
    looks_ = static_cast<std::size_t>(options.integer("looks"));
    label_ = options.text("label");
    threads_ = static_cast<int>(options.integer("threads"));
  }
  void start(reel::StageContext& /*context*/) override {
    cv::setNumThreads(threads_);
    detector_ = std::make_unique<BlazeFace>(model_.empty() ? model_path(kShippedModel) : model_);
    search_ = std::make_unique<FaceSearch>(*detector_, looks_, threshold_);
  }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    return copy_picture(output, frame);
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;

  std::string model_, label_;
  float threshold_ = 0;
  std::uint64_t every_ = 1, frames_ = 0;
  std::size_t looks_ = 0;
  int threads_ = 1;
  std::unique_ptr<BlazeFace> detector_;
  std::unique_ptr<FaceSearch> search_;
};

bool Faces::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const reel::VideoFormat& video = *frame.format().video();
  if (frames_++ % every_ == 0) {
    const auto part_of_frame = [&frame](const cv::Rect& part, cv::Size size) {
      cv::Mat bgr;
      reel::to_bgr_scaled(frame, part, size, bgr);
      return bgr;
    };
    (void)search_->find({static_cast<int>(video.width), static_cast<int>(video.height)}, part_of_frame);
  }
  std::vector<reel::Detection> boxes;
  for (const Face& face : search_->last()) {
    reel::Detection box{.score = face.score,
                        .x = face.box.x,
                        .y = face.box.y,
                        .width = face.box.width,
                        .height = face.box.height};
    box.set_label(label_);
    boxes.push_back(box);
  }
  const bool found_fits = boxes.empty() || side_data.add_detections(kName, boxes);
  return side_data.add_all(frame.side_data()) && found_fits;
}

}  // namespace

REEL_STAGE(Faces, kName, "finds faces (BlazeFace)", kPictureIn, kOutputs, kOptions)
