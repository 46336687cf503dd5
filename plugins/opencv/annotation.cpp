#include "annotation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include <opencv2/imgproc.hpp>

namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kLowest_dbfs = -60;
const cv::Scalar kPlate(32, 24, 20), kText(255, 255, 255), kQuiet(110, 200, 60), kLoud(40, 180, 240),
    kClipping(60, 60, 235);
// Told apart by people with any colour vision, on dark and light ground (Okabe and Ito's palette), as BGR.
const std::array<cv::Scalar, 6> kBoxColours{cv::Scalar(115, 158, 0),  cv::Scalar(0, 159, 230),
                                            cv::Scalar(233, 180, 86), cv::Scalar(167, 121, 204),
                                            cv::Scalar(66, 228, 240), cv::Scalar(0, 94, 213)};

// Pixels of one unit of drawing: 1 at 360 lines and below, 2 at 720, 6 at 2160.
int unit(const cv::Mat& bgr) {
  return std::max(1, cvRound(std::min(bgr.rows, bgr.cols) / 360.0));
}
double font_scale(const cv::Mat& bgr) {
  return std::max(0.35, std::min(bgr.rows, bgr.cols) / 900.0);
}

const cv::Scalar& colour_of(std::string_view label) {
  std::size_t sum = 0;
  for (const char letter : label) sum = sum * 31 + static_cast<unsigned char>(letter);
  return kBoxColours[label == "face" ? 0 : sum % kBoxColours.size()];
}

cv::Size plate_size(const cv::Mat& bgr, const std::string& text) {
  int baseline = 0;
  const cv::Size size = cv::getTextSize(text, kFont, font_scale(bgr), unit(bgr), &baseline);
  return {size.width + 6 * unit(bgr), size.height + baseline + 4 * unit(bgr)};
}

// `corner` is the plate's top left.
void draw_plate(cv::Mat& bgr, const std::string& text, cv::Point corner, const cv::Scalar& ground) {
  const cv::Size size = plate_size(bgr, text);
  int baseline = 0;
  const cv::Size glyphs = cv::getTextSize(text, kFont, font_scale(bgr), unit(bgr), &baseline);
  cv::rectangle(bgr, cv::Rect(corner, size), ground, cv::FILLED);
  cv::putText(bgr, text, corner + cv::Point(3 * unit(bgr), 2 * unit(bgr) + glyphs.height), kFont,
              font_scale(bgr), kText, unit(bgr), cv::LINE_AA);
}

// OpenCV's fonts are ASCII.
std::string printable(std::string_view text) {
  std::string ascii;
  for (const char letter : text)
    if ((letter & 0xC0) != 0x80) ascii += letter >= ' ' && letter <= '~' ? letter : '?';
  return ascii;
}

double share_of_bar(float dbfs) {
  return std::isfinite(dbfs) ? std::clamp((dbfs - kLowest_dbfs) / -kLowest_dbfs, 0.0, 1.0) : 0.0;
}

}  // namespace

void draw_box(cv::Mat& bgr, const reel::Detection& detection) {
  const auto usable = [](float value) { return std::isfinite(value) && std::abs(value) < 1e6F; };
  if (!usable(detection.x) || !usable(detection.y) || !usable(detection.width) || !usable(detection.height))
    return;
  const cv::Rect box(cvRound(detection.x), cvRound(detection.y), cvRound(detection.width),
                     cvRound(detection.height));
  const cv::Scalar& colour = colour_of(detection.label_text());
  const int line = unit(bgr);
  cv::rectangle(bgr, box, kPlate, 3 * line);  // a dark rim: seen on ground of the box's own colour
  cv::rectangle(bgr, box, colour, line + line / 2);

  char score[16] = "";
  if (std::isfinite(detection.score))
    std::snprintf(score, sizeof score, " %.2f", static_cast<double>(detection.score));
  const std::string text = printable(detection.label_text()) + score;
  if (text.empty()) return;
  const cv::Size plate = plate_size(bgr, text);
  cv::Point corner(box.x - line, box.y - plate.height);
  if (corner.y < 0) corner.y = box.y + line;
  corner.x = std::clamp(corner.x, 0, std::max(0, bgr.cols - plate.width));
  draw_plate(bgr, text, corner, colour * 0.6);
}

void draw_time(cv::Mat& bgr, std::int64_t pts_ns) {
  const long long ms = pts_ns / 1'000'000;
  char text[48];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld", ms / 3'600'000, ms / 60'000 % 60,
                ms / 1000 % 60, ms % 1000);
  const int margin = 4 * unit(bgr);
  draw_plate(bgr, text, {margin, bgr.rows - margin - plate_size(bgr, text).height}, kPlate);
}

void draw_name(cv::Mat& bgr, std::string_view name) {
  const int margin = 2 * unit(bgr);
  draw_plate(bgr, printable(name), {margin, margin}, kPlate);
}

void draw_level(cv::Mat& bgr, const reel::AudioLevel& level) {
  const int channels = static_cast<int>(std::min<std::size_t>(level.channels, reel::kMaxLevelChannels));
  const int thick = 5 * unit(bgr), gap = unit(bgr), margin = 4 * unit(bgr);
  const int length = std::clamp(bgr.cols / 4, 8, std::max(8, bgr.cols - 2 * margin));
  const cv::Point corner(bgr.cols - margin - length, bgr.rows - margin - channels * (thick + gap) - gap);
  if (channels == 0) return;
  cv::rectangle(bgr,
                cv::Rect(corner.x - gap, corner.y - gap, length + 2 * gap, channels * (thick + gap) + gap),
                kPlate, cv::FILLED);
  for (int channel = 0; channel < channels; ++channel) {
    const float peak_dbfs = level.peak_dbfs[static_cast<std::size_t>(channel)];
    const cv::Scalar& colour = peak_dbfs > -1 ? kClipping : peak_dbfs > -9 ? kLoud : kQuiet;
    const int y = corner.y + channel * (thick + gap);
    const int filled = cvRound(length * share_of_bar(level.rms_dbfs[static_cast<std::size_t>(channel)]));
    if (filled > 0) cv::rectangle(bgr, cv::Rect(corner.x, y, filled, thick), colour, cv::FILLED);
    const int peak = cvRound(length * share_of_bar(peak_dbfs));
    if (peak > 0) cv::rectangle(bgr, cv::Rect(corner.x + peak - gap, y, gap, thick), kText, cv::FILLED);
  }
}
