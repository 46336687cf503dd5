// What reelsink does between its virtual methods: opens the stream, turns buffers into frames and events into
// records. The streaming thread calls set_caps(), render() and the events; unlock(), resume(), stats() and
// clients() come from any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <reel/channel/frame_writer.hpp>

#include "lost_metas.hpp"
#include "sink_settings.hpp"
#include "tag_text.hpp"

namespace reel::gst {

class Sink {
 public:
  explicit Sink(GstBaseSink* element) : element_(element) {}

  /// False after an error was posted on the bus; so do all below.
  bool open(const SinkSettings& settings);
  void close();

  bool set_caps(GstCaps* caps);
  void set_segment(const GstSegment& segment);
  bool set_tags(GstTagList* tags);
  /// A stream begins: the tags were another's.
  void forget_tags() { tags_.clear(); }
  /// The clock or the base time may be another one.
  void clock_changed() noexcept { segment_known_ = false; }
  GstFlowReturn render(GstBuffer* buffer);
  GstFlowReturn render_gap(GstClockTime pts, GstClockTime duration);
  GstFlowReturn render_event(GstEvent* event);
  void end();
  void flushed();

  void unlock();
  void resume();
  /// Owned by the caller.
  [[nodiscard]] GstStructure* stats() const;
  [[nodiscard]] std::uint32_t clients() const;

 private:
  bool open_writer();
  bool readers_are_there();
  GstFlowReturn ready();
  void name_segment();
  [[nodiscard]] FrameInfo info_of(GstBuffer* buffer) const;
  template <typename Write>
  GstFlowReturn uninterrupted(Write&& write);
  WriteStatus fill(Loan& loan, GstBuffer* buffer);
  GstFlowReturn fail(const std::string& what, const std::string& detail);

  GstBaseSink* element_;
  SinkSettings settings_;
  mutable std::mutex mutex_;  // of writer_'s place, and unlocked_
  std::shared_ptr<FrameWriter> writer_;
  bool unlocked_ = false;
  std::optional<Format> format_;
  GstVideoInfo video_info_{};
  GstSegment segment_{};
  bool segment_known_ = false;  // to the writer, with the present clock
  std::int64_t monotonic_offset_ns_ = kNoTime;
  bool waited_ = false;
  bool ended_ = false;
  TagText tags_;
  LostMetas metas_lost_;
  unsigned key_frames_asked_ = 0;
};

}  // namespace reel::gst
