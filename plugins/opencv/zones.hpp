// Parts of the picture that opencv.motion watches, each by its name. Written "NAME X Y WIDTH HEIGHT", or as a
// polygon "NAME X Y X Y X Y ...", in shares of the picture. Used from the stage thread. Pure values.
#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

struct Zone {
  std::string name;
  std::vector<cv::Point2d> corners;  // 0 to 1
};

/// Throws reel::Error{bad_config} naming the text and what is wrong with it.
[[nodiscard]] std::vector<Zone> parse_zones(const std::vector<std::string>& texts);

/// 255 inside the zone, 0 elsewhere.
[[nodiscard]] cv::Mat zone_mask(const Zone& zone, cv::Size picture);
