// Turns GStreamer's samples into the frames of one output. Lives as long as the stage, over all passes of a
// loop; used by one thread at a time: the stage's before frames flow, a pump's afterwards.
#pragma once

#include <cstdint>
#include <memory>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>
#include <reel/stage/stage.hpp>

namespace capture {

/// How the times of one pass become the times of the stream.
struct Timeline {
  std::int64_t monotonic_offset_ns =
      reel::kNoTime;          // CLOCK_MONOTONIC minus running time of the first pass; kNoTime: unpaced
  std::int64_t shift_ns = 0;  // added to pts and dts: how long the passes before lasted
  bool loop = false;
};

class Publisher {
 public:
  explicit Publisher(reel::Output& output);

  /// Sets the output's format, with slots for samples such as this one. Throws reel::Error for caps that are
  /// no format of Reel's.
  void set_format(GstSample* sample);
  /// Begins a pass.
  void begin(const Timeline& timeline) noexcept;
  /// Publishes one sample: where it lies when the decoder wrote it into a slot, else by one fused copy.
  /// Blocks while the output's readers want it to. Throws reel::StopRequested, reel::Error.
  void publish(GstSample* sample);

  /// Running time at which this pass has ended so far.
  [[nodiscard]] std::int64_t pass_end_ns() const noexcept { return pass_end_ns_; }
  [[nodiscard]] reel::Output& output() noexcept { return output_; }
  /// Slots for the elements before to write pictures into.
  [[nodiscard]] const std::shared_ptr<reel::gst::StreamSlots>& slots() const noexcept { return slots_; }

 private:
  void set_segment(const GstSegment& segment);
  [[nodiscard]] reel::FrameInfo stamp(GstBuffer* buffer, const GstSegment& segment);
  void publish_video(GstBuffer* buffer, const reel::FrameInfo& info);
  void require(reel::WriteStatus status) const;
  void publish_audio(GstBuffer* buffer, const reel::FrameInfo& info);

  reel::Output& output_;
  std::shared_ptr<reel::gst::StreamSlots> slots_;
  reel::gst::Ptr<GstCaps> caps_;
  reel::Format format_;
  GstVideoInfo video_info_{};
  Timeline timeline_;
  bool segment_set_ = false;
  bool first_of_pass_ = true;
  std::int64_t pass_end_ns_ = 0;
};

}  // namespace capture
