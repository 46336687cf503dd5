// Stage `opencv.qr`: reads QR codes and passes the picture on, one copy, with a box for each as side data and
// their texts as JSON. ZXing reads them: OpenCV's own detector is built without its decoder in Debian.
#include "picture_filter.hpp"
#include "planes.hpp"

#include <string>
#include <vector>

#define ZX_USE_UTF8  // texts as UTF-8, as newer versions have them without being asked
#include <ZXing/ReadBarcode.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "opencv.qr";
constexpr std::array kOutputs{PortSpec{
    "out", reel::kTakesVideo,
    "the same picture with detections, each labelled with its text, and {\"codes\": [{\"id\", \"text\"}]}"}};
constexpr std::array kOptions{OptionSpec{"every", OptionType::integer, "1",
                                         "search each Nth frame; those between carry the codes read last",
                                         "1..1000"}};

class Qr final : public PictureFilter {
 public:
  void configure(const reel::Options& options) override {
    every_ = static_cast<std::uint64_t>(options.integer("every"));
    hints_.setFormats(ZXing::BarcodeFormat::QRCode);
  }

 private:
  [[nodiscard]] reel::Loan fill(reel::Output& output, const reel::Frame& frame) override {
    return copy_picture(output, frame);
  }
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override;
  void search(const cv::Mat& gray);

  std::uint64_t every_ = 1, frames_ = 0;
  ZXing::DecodeHints hints_;
  cv::Size size_;  // of the picture searched last
  std::vector<reel::Detection> boxes_;
  std::string texts_;  // as JSON
};

void Qr::search(const cv::Mat& gray) {
  boxes_.clear();
  const ZXing::ImageView view(gray.data, gray.cols, gray.rows, ZXing::ImageFormat::Lum,
                              static_cast<int>(gray.step[0]));
  nlohmann::json codes = nlohmann::json::array();
  for (const ZXing::Result& result : ZXing::ReadBarcodes(view, hints_)) {
    if (!result.isValid()) continue;
    std::vector<cv::Point> corners;
    for (const auto& corner : result.position()) corners.emplace_back(corner.x, corner.y);
    const cv::Rect area = cv::boundingRect(corners);
    reel::Detection code{.score = 1,
                         .x = static_cast<float>(area.x),
                         .y = static_cast<float>(area.y),
                         .width = static_cast<float>(area.width),
                         .height = static_cast<float>(area.height),
                         .track_id = static_cast<std::uint32_t>(boxes_.size() + 1)};
    const std::string text = result.text();
    code.set_label(text);
    codes.push_back({{"id", code.track_id}, {"text", text}});
    boxes_.push_back(code);
  }
  // A code may hold any bytes.
  texts_ = nlohmann::json{{"codes", codes}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool Qr::add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
  const cv::Mat gray = gray_of(frame);
  if (frames_++ % every_ == 0 || gray.size() != size_) search(gray);
  size_ = gray.size();
  bool fits = true;
  if (!boxes_.empty()) {
    fits = side_data.add_detections(kName, boxes_);
    fits = side_data.add_json(kName, texts_) && fits;
  }
  return side_data.add_all(frame.side_data()) && fits;
}

}  // namespace

REEL_STAGE(Qr, kName, "reads QR codes", kPictureIn, kOutputs, kOptions)
