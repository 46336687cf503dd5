#include "zones.hpp"

#include <algorithm>
#include <sstream>

#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>

namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw reel::Error(
      reel::ErrorCode::bad_config,
      "zone \"" + text + "\" " + why +
          ": write \"NAME X Y WIDTH HEIGHT\", or three or more corners as \"NAME X Y X Y X Y\", "
          "each number from 0 to 1, a share of the picture");
}

Zone parse_zone(const std::string& text) {
  std::istringstream words(text);
  Zone zone;
  std::vector<double> numbers;
  if (!(words >> zone.name)) refuse(text, "is empty");
  for (std::string word; words >> word;) {
    std::istringstream one(word);
    double number = 0;
    if (!(one >> number) || !one.eof()) refuse(text, "has \"" + word + "\" for a number");
    if (!(number >= 0 && number <= 1)) refuse(text, "has " + word + ", which is outside 0 to 1");
    numbers.push_back(number);
  }
  if (numbers.size() == 4) {
    const double right = numbers[0] + numbers[2], bottom = numbers[1] + numbers[3];
    if (numbers[2] == 0 || numbers[3] == 0) refuse(text, "has no area");
    if (right > 1.000001 || bottom > 1.000001) refuse(text, "ends outside the picture");
    zone.corners = {{numbers[0], numbers[1]}, {right, numbers[1]}, {right, bottom}, {numbers[0], bottom}};
    return zone;
  }
  if (numbers.size() < 6 || numbers.size() % 2 != 0)
    refuse(text, "has " + std::to_string(numbers.size()) + " numbers");
  for (std::size_t i = 0; i < numbers.size(); i += 2) zone.corners.emplace_back(numbers[i], numbers[i + 1]);
  return zone;
}

}  // namespace

std::vector<Zone> parse_zones(const std::vector<std::string>& texts) {
  std::vector<Zone> zones;
  for (const std::string& text : texts) {
    Zone zone = parse_zone(text);
    const bool taken = std::any_of(zones.begin(), zones.end(),
                                   [&zone](const Zone& other) { return other.name == zone.name; });
    if (taken) refuse(text, "has the name of another one");
    zones.push_back(std::move(zone));
  }
  return zones;
}

cv::Mat zone_mask(const Zone& zone, cv::Size picture) {
  constexpr int kFractionBits = 8;  // of a pixel
  std::vector<cv::Point> corners;
  // A pixel belongs to the zone that its centre is in: corners at whole pixels are half a pixel before it.
  for (const cv::Point2d& corner : zone.corners)
    corners.emplace_back(cvRound((corner.x * picture.width - 0.5) * (1 << kFractionBits)),
                         cvRound((corner.y * picture.height - 0.5) * (1 << kFractionBits)));
  cv::Mat mask(picture, CV_8UC1, cv::Scalar(0));
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{corners}, cv::Scalar(255), cv::LINE_8,
               kFractionBits);
  return mask;
}
