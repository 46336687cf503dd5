// What reelsink does between its virtual methods: opens the stream, turns buffers into frames and events into
// records. The streaming thread calls set_caps(), render() and the events; unlock(), resume(), stats() and
// clients() come from any, propose_allocation() from the threads of the elements before.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <reel/channel/frame_writer.hpp>
#include <reel/gst/stream_slots.hpp>

#include "lost_metas.hpp"
#include "reader_signals.hpp"
#include "sink_settings.hpp"
#include "tag_text.hpp"

namespace reel::gst {

class Sink {
 public:
  explicit Sink(GstBaseSink* element) : element_(element), reader_signals_(GST_ELEMENT(element)) {}

  /// False after an error was posted on the bus; so do all below.
  bool open(const SinkSettings& settings);
  void close();

  bool set_caps(GstCaps* caps);
  /// Once a memory: says on the bus that nothing of what was offered can be taken, and what to put before.
  /// Any thread.
  void tell_of_refused(const GstCaps* offered);
  bool propose_allocation(GstQuery* query);
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

  /// Nobody before the sink waits for a slot meanwhile.
  void set_flushing(bool on);
  /// In front of the base class's change to PAUSED, and behind that to PLAYING.
  void pause() noexcept;
  void play() noexcept;
  void unlock();
  void resume();
  /// Owned by the caller.
  [[nodiscard]] GstStructure* stats() const;
  [[nodiscard]] std::uint32_t clients() const;

 private:
  [[nodiscard]] std::shared_ptr<FrameWriter> make_writer();
  bool reopen();
  [[nodiscard]] std::shared_ptr<StreamSlots> slots() const;
  GstFlowReturn ready();
  bool wait_for_readers();  // false when interrupted
  [[nodiscard]] bool paused() const noexcept;
  GstFlowReturn wait_to_play();
  void name_segment();
  [[nodiscard]] FrameInfo info_of(GstBuffer* buffer) const;
  template <typename Write>
  GstFlowReturn uninterrupted(Write&& write);
  WriteStatus write(GstBuffer* buffer);
  WriteStatus write_copy(GstBuffer* buffer);
  WriteStatus write_other(std::span<const std::byte> payload, FrameKind kind, std::int64_t pts_ns,
                          std::int64_t duration_ns);
  GstFlowReturn say_unwritten(const std::exception& error);
  GstFlowReturn cannot_open(const std::exception& error);
  GstFlowReturn fail(WriteStatus status);

  GstBaseSink* element_;
  ReaderSignals reader_signals_;
  SinkSettings settings_;
  mutable std::mutex mutex_;  // of the place of slots_, unlocked_ and refused_told_
  std::shared_ptr<StreamSlots> slots_;
  bool unlocked_ = false;
  std::set<std::string> refused_told_;
  std::optional<Format> format_;
  GstVideoInfo video_info_{};
  bool opaque_video_ = false;  // raw, in a format that Reel has no number for
  GstSegment segment_{};
  std::atomic<bool> segment_known_{false};  // to the writer, with the present clock
  std::int64_t monotonic_offset_ns_ = kNoTime;
  bool waited_ = false;
  bool ended_ = false;
  std::atomic<bool> paused_{false};  // after PLAYING, until PLAYING again
  SlotCounts last_counts_;           // under mutex_: of the life before, for whoever asks after it
  WriterStats last_written_;         // the same
  TagText tags_;
  LostMetas metas_lost_;
};

}  // namespace reel::gst
