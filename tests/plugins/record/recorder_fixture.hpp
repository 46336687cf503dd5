// A recorder without its stage: settings, and frames for its spool. Single-thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <catalog/segment.hpp>
#include <recorder/settings.hpp>
#include <recorder/spool.hpp>
#include <reel_test/scratch_dir.hpp>

namespace reel_test {

inline constexpr std::int64_t kStep_ns = 40'000'000;

[[nodiscard]] inline record::RecordSettings settings_in(const ScratchDir& scratch) {
  static const bool ready = (gst_init(nullptr, nullptr), true);
  EXPECT_TRUE(ready);
  record::RecordSettings settings;
  settings.directory = scratch.path() + "/recordings";
  settings.name = "door";
  settings.segment_ns = 2'000'000'000;
  settings.sync_interval_ns = 1'000'000'000;
  settings.patience_ns = 1'000'000'000;
  settings.spool_memory = 256'000'000;
  return settings;
}

/// Pictures of a camera at 25 a second, as fast as they are asked for.
class Camera {
 public:
  explicit Camera(std::uint32_t width = 640, std::uint32_t height = 480, std::size_t input = 0)
      : input_(input) {
    resize(width, height);
  }
  void resize(std::uint32_t width, std::uint32_t height) {
    format_ =
        std::make_shared<reel::Format>(reel::VideoFormat{reel::PixelFormat::I420, width, height, {25, 1}});
  }
  record::SpooledFrame next() {
    record::SpooledFrame made;
    made.input = input_;
    made.number = number_;
    made.format = format_;
    made.layout = reel::default_layout(*format_->video());
    made.info.pts_ns = static_cast<std::int64_t>(number_) * kStep_ns;
    made.info.duration_ns = kStep_ns;
    made.published_ns = reel::monotonic_ns();
    made.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, made.layout.bytes, nullptr),
                                             [](GstBuffer* it) { gst_buffer_unref(it); });
    gst_buffer_memset(made.buffer.get(), 0, static_cast<guint8>(number_ * 3), made.layout.bytes);
    ++number_;
    return made;
  }
  void skip(std::uint64_t frames) { number_ += frames; }
  [[nodiscard]] std::uint64_t frames() const { return number_; }

 private:
  std::size_t input_;
  std::shared_ptr<const reel::Format> format_;
  std::uint64_t number_ = 0;
};

[[nodiscard]] inline std::uint64_t pictures_in(const std::vector<record::SegmentRecord>& segments) {
  std::uint64_t frames = 0;
  for (const auto& segment : segments)
    for (const auto& track : segment.tracks) frames += track.frames;
  return frames;
}

}  // namespace reel_test
