// Turns GStreamer's samples into the frames of one output. Lives as long as the stage, over all passes of a
// loop and connections of a camera; used by one thread at a time: the stage's before frames flow, a pump's
// afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>
#include <reel/stage/stage.hpp>

#include "wanted.hpp"

namespace capture {

/// How the times of one life of a pipeline (a pass of a clip, a connection of a camera) become the times of
/// the stream.
struct Timeline {
  std::int64_t monotonic_offset_ns =
      reel::kNoTime;          // CLOCK_MONOTONIC minus running time of the first life; kNoTime: unpaced
  std::int64_t shift_ns = 0;  // added to pts and dts: how long the passes before lasted
  bool loop = false;
  bool camera = false;     // pts is running time, which goes on from one connection to the next
  bool continues = false;  // there was a life before: its first frame is a discontinuity
};

class Publisher {
 public:
  /// `in_place`: decoders fill the slots themselves, which keeps them waiting where readers do.
  Publisher(reel::Output& output, Media media, bool in_place);

  /// Sets the output's format, with slots for samples such as this one. Throws reel::Error for caps that are
  /// no format of Reel's.
  void set_format(GstSample* sample);
  /// Begins a pass or connection.
  void begin(const Timeline& timeline) noexcept;
  /// Publishes one sample: where it lies when the decoder wrote it into a slot, else by one fused copy.
  /// Blocks while the output's readers want it to. Throws reel::StopRequested, reel::Error.
  void publish(GstSample* sample);

  /// Running time at which this pass has ended so far.
  [[nodiscard]] std::int64_t pass_end_ns() const noexcept { return pass_end_ns_; }
  [[nodiscard]] reel::Output& output() noexcept { return output_; }
  [[nodiscard]] Media media() const noexcept { return media_; }
  /// Slots for the elements before to write pictures into; nullptr where they shall not.
  [[nodiscard]] std::shared_ptr<reel::gst::StreamSlots> slots() const noexcept {
    return in_place_ ? slots_ : nullptr;
  }
  /// True from the first frame on.
  [[nodiscard]] bool has_published() const noexcept { return published() != 0; }
  /// Frames, over all lives.
  [[nodiscard]] std::uint64_t published() const noexcept {
    return published_.load(std::memory_order_relaxed);
  }

 private:
  void set_segment(const GstSegment& segment);
  [[nodiscard]] reel::FrameInfo stamp(GstBuffer* buffer, const GstSegment& segment);
  void stamp_camera(reel::FrameInfo& info, const GstSegment& segment) const;
  [[nodiscard]] bool can_be_decoded(const reel::FrameInfo& info) noexcept;
  void publish_video(GstBuffer* buffer, const reel::FrameInfo& info);
  void require(reel::WriteStatus status) const;
  void publish_bytes(GstBuffer* buffer, const reel::FrameInfo& info);

  reel::Output& output_;
  const Media media_;
  const bool in_place_;
  std::shared_ptr<reel::gst::StreamSlots> slots_;
  reel::gst::Ptr<GstCaps> caps_;
  reel::Format format_;
  GstVideoInfo video_info_{};
  Timeline timeline_;
  bool segment_set_ = false;
  bool first_of_life_ = true;
  bool waits_for_key_ = false;  // encoded: what comes before a key frame cannot be decoded
  std::atomic<std::uint64_t> published_{0};
  std::int64_t pass_end_ns_ = 0;
};

}  // namespace capture
