// What a stage keeps of a frame that it will answer to later, when its other inputs have come: all that was
// said about the picture. The pixels are the stage's own affair. Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <reel/stage/stage.hpp>

class HeldPicture {
 public:
  explicit HeldPicture(const reel::Frame& frame);

  [[nodiscard]] const reel::VideoFormat& video() const noexcept { return video_; }
  [[nodiscard]] const reel::FrameInfo& info() const noexcept { return info_; }
  /// Valid while this is neither changed nor gone.
  [[nodiscard]] reel::SideDataView side_data() const noexcept { return reel::SideDataView(side_data_); }
  /// When it is shown, on the running time of its stream: pts, segment regarded. kNoTime where it has no pts.
  [[nodiscard]] std::int64_t running_ns() const noexcept;
  /// CLOCK_MONOTONIC minus that running time, where the stream is bound to the clock; else kNoTime.
  [[nodiscard]] std::int64_t monotonic_offset_ns() const noexcept {
    return segment_ ? segment_->monotonic_offset_ns : reel::kNoTime;
  }
  [[nodiscard]] const std::optional<reel::Tags>& tags() const noexcept { return tags_; }
  /// Output::follow() for the frame that was held, with pictures of `format`.
  void lead(reel::Output& output, const reel::Format& format) const;

 private:
  reel::VideoFormat video_;
  reel::FrameInfo info_;
  std::optional<reel::Segment> segment_;
  std::optional<reel::Tags> tags_;
  std::vector<std::byte> side_data_;
};
