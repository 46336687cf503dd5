// Drawing on a BGR picture, legible at any size: sizes follow the picture's height, text stands on a dark
// plate. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include <opencv2/core.hpp>

#include <reel/format/side_data.hpp>

/// The box and above it (inside, where there is no room) its label and score. Values that are no numbers draw
/// nothing.
void draw_box(cv::Mat& bgr, const reel::Detection& detection);
/// hours:minutes:seconds.milliseconds at the bottom left.
void draw_time(cv::Mat& bgr, std::int64_t pts_ns);
/// One bar a channel at the bottom right: RMS filled, peak as a line; the bar begins at -60 dBFS.
void draw_level(cv::Mat& bgr, const reel::AudioLevel& level);
/// At the top left; what OpenCV has no letter for is a question mark.
void draw_name(cv::Mat& bgr, std::string_view name);
