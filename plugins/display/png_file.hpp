// PNG files that are there whole or not at all, and the pattern their paths are made from. Used by the
// snapshot stage. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>

struct PathValues {
  std::string_view stream;
  std::uint64_t number = 1;    // of the file
  std::uint64_t sequence = 0;  // of the frame
  std::int64_t pts_ns = -1;
};

/// Throws reel::Error{bad_config} for an unknown {name}, an end other than .png, or, with `many`, a path that
/// is always the same.
void check_path_pattern(std::string_view pattern, bool many);
[[nodiscard]] std::string fill_path_pattern(std::string_view pattern, const PathValues& values);

/// Writes beside `path` and renames; makes the directory. `bgr` is 8-bit height x width x 3.
/// Throws reel::Error{io | no_permission} naming the path and what the system said.
void write_png(const std::string& path, const cv::Mat& bgr);
