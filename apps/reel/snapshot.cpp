// `reel snapshot`: the newest picture of a stream as a PNG file, taken from outside: nobody waits for it.
#include "commands.hpp"
#include "validators.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <opencv2/imgcodecs.hpp>

#include <reel/base/error.hpp>
#include <reel/base/whole_file.hpp>
#include <reel/channel/observer.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

struct SnapshotOptions {
  std::string stream;
  std::string file;
  int timeout_s = 10;
};

/// Waits for a frame with a picture in it that passes its checksum.
reel::FrameCopy take_frame(const SnapshotOptions& options) {
  const reel::StreamObserver observer(options.stream);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout_s);
  reel::FrameCopy frame;
  for (;;) {
    const bool there = observer.newest(frame);
    if (there && frame.intact && frame.info.kind == reel::FrameKind::media) return frame;
    if (std::chrono::steady_clock::now() >= deadline)
      throw reel::Error(reel::ErrorCode::timeout,
                        fmt::format("no intact frame came for {} s (see --timeout)", options.timeout_s),
                        options.stream);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

cv::Mat picture_of(const reel::FrameCopy& frame, const std::string& stream) {
  cv::Mat picture;
  if (frame.format.video() != nullptr) {
    reel::to_bgr(frame.format, frame.layout, frame.payload, picture);
    return picture;
  }
  const reel::EncodedFormat* encoded = frame.format.encoded();
  if (encoded != nullptr && encoded->codec == reel::Codec::jpeg) {
    // OpenCV has no read-only matrix; imdecode only reads.
    void* bytes = const_cast<std::byte*>(frame.payload.data());
    picture =
        cv::imdecode(cv::Mat(1, static_cast<int>(frame.payload.size()), CV_8UC1, bytes), cv::IMREAD_COLOR);
    if (picture.empty())
      throw reel::Error(reel::ErrorCode::protocol, fmt::format("frame {} is no JPEG picture", frame.sequence),
                        stream);
    return picture;
  }
  throw reel::Error(
      reel::ErrorCode::unsupported,
      fmt::format("\"{}\" has no picture that can be saved: raw video or JPEG has", frame.format.caps()),
      stream);
}

void write_png(const std::string& file, const cv::Mat& picture) {
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".png", picture, bytes))
    throw reel::Error(reel::ErrorCode::internal, "OpenCV made no PNG", file);
  reel::write_whole_file(file, std::as_bytes(std::span(bytes)), "FILE");
}

void run_snapshot(const SnapshotOptions& options, CommandResult& result) {
  if (!std::string_view(options.file).ends_with(".png"))
    throw reel::Error(reel::ErrorCode::bad_argument, "a snapshot is a PNG: give a name that ends in .png",
                      options.file);
  const reel::FrameCopy frame = take_frame(options);
  const cv::Mat picture = picture_of(frame, options.stream);
  write_png(options.file, picture);
  fmt::print("{}: frame {} of {}, {} x {}\n", options.file, frame.sequence, options.stream, picture.cols,
             picture.rows);
  result.status = 0;
}

}  // namespace

void add_snapshot(CLI::App& app, CommandResult& result) {
  CLI::App* command = app.add_subcommand("snapshot", "Save the newest picture of a stream as PNG");
  auto options = std::make_shared<SnapshotOptions>();
  command->add_option("STREAM", options->stream, "Name of the stream, see `reel ls`")->required();
  command->add_option("FILE", options->file, "Where to write it; an existing file is replaced")->required();
  command->add_option("--timeout", options->timeout_s, "Seconds to wait for a frame")
      ->check(whole_number(1, kMostSeconds))
      ->capture_default_str();
  command->footer(
      "Example: reel snapshot camera now.png\n"
      "Any raw pixel format, or JPEG. FILE is written whole or left as it was. Readers and writer go on "
      "undisturbed: nothing is pinned.");
  command->callback([options, &result] { run_snapshot(*options, result); });
}
