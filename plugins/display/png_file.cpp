#include "png_file.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <span>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include <reel/base/error.hpp>
#include <reel/base/whole_file.hpp>

namespace fs = std::filesystem;

namespace {

constexpr int kFastCompression = 3;  // of 9: half the time of OpenCV's default for a few per cent of size

/// Calls take(name, literal) for each piece of the pattern: a literal text, or the name in braces.
template <typename Take>
void each_piece(std::string_view pattern, Take&& take) {
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    if (open > 0) take(std::string_view(), pattern.substr(0, open));
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const std::size_t close = std::min(pattern.find('}'), pattern.size() - 1);
    take(pattern.substr(1, close - 1), pattern.substr(0, close + 1));
    pattern.remove_prefix(close + 1);
  }
}

std::string seconds(std::int64_t pts_ns) {
  if (pts_ns < 0) return "unknown";
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03lld", static_cast<long long>(pts_ns / 1'000'000'000),
                static_cast<long long>(pts_ns / 1'000'000 % 1000));
  return text.data();
}

}  // namespace

void check_path_pattern(std::string_view pattern, bool many) {
  bool varies = false;
  each_piece(pattern, [&](std::string_view name, std::string_view literal) {
    if (name.empty() && literal.front() != '{') return;
    if (name != "stream" && name != "n" && name != "sequence" && name != "time")
      throw reel::Error(reel::ErrorCode::bad_config,
                        "path \"" + std::string(pattern) + "\" has " + std::string(literal) +
                            ": {stream}, {n}, {sequence} and {time} can be filled in");
    varies = varies || name != "stream";
  });
  if (!pattern.ends_with(".png"))
    throw reel::Error(reel::ErrorCode::bad_config,
                      "path \"" + std::string(pattern) + "\" does not end in .png");
  if (many && !varies)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "path \"" + std::string(pattern) +
                          "\" is the same for every picture: put {n}, {sequence} or {time} into it, or set "
                          "`count: 1`");
}

std::string fill_path_pattern(std::string_view pattern, const PathValues& values) {
  std::string path;
  each_piece(pattern, [&](std::string_view name, std::string_view literal) {
    if (name == "stream")
      path += values.stream;
    else if (name == "n")
      path += std::to_string(values.number);
    else if (name == "sequence")
      path += std::to_string(values.sequence);
    else if (name == "time")
      path += seconds(values.pts_ns);
    else
      path += literal;
  });
  return path;
}

void write_png(const std::string& path, const cv::Mat& bgr) {
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".png", bgr, bytes, {cv::IMWRITE_PNG_COMPRESSION, kFastCompression}))
    throw reel::Error(reel::ErrorCode::internal, "OpenCV made no PNG", path);

  std::error_code failed;
  const fs::path directory = fs::path(path).parent_path();
  if (!directory.empty()) fs::create_directories(directory, failed);
  if (failed)
    throw reel::Error(reel::ErrorCode::io,
                      "making the directory: " + failed.message() +
                          "; set the option `path` to a place that can be written",
                      directory.string());
  reel::write_whole_file(path, std::as_bytes(std::span(bytes)), "the option `path`");
}
