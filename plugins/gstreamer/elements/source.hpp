// What reelsrc does between its virtual methods: opens the stream, waits for frames so that unlock() is
// prompt, turns records into caps, segments, tags and events, frames into buffers. The streaming thread calls
// create(); unlock(), resume(), stats() and retarget() come from any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <gst/base/gstpushsrc.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/gst/pointers.hpp>

#include "frame_buffer.hpp"
#include "src_settings.hpp"
#include "time_map.hpp"

namespace reel::gst {

class Source {
 public:
  explicit Source(GstPushSrc* element) : element_(element) {}

  /// False after an error was posted on the bus.
  bool open(const SrcSettings& settings);
  void close();
  /// The other stream from the next buffer on.
  void retarget(std::string stream);

  GstFlowReturn create(GstBuffer** buffer);
  void unlock();
  void resume();

  /// Owned by the caller.
  [[nodiscard]] GstStructure* stats() const;
  /// Duration of a frame as the caps say, nanoseconds; 0 when they do not.
  [[nodiscard]] std::uint64_t frame_duration_ns() const noexcept { return frame_duration_ns_; }
  void ask_for_key_frame();

 private:
  bool switch_stream();
  ReadStatus read(Frame& frame);
  GstFlowReturn take(Frame& frame, bool& again);
  GstFlowReturn interrupted(bool& again);
  GstFlowReturn writer_is_away(bool& again);
  bool follow_records(const Frame& frame);
  bool follow_format(const Format& format);
  void push_gap(const FrameInfo& info);
  void push_event(const Frame& frame);
  void push_serialized(GstEvent* event);
  [[nodiscard]] FrameInfo info_of(const Frame& frame);
  GstFlowReturn fail(const std::string& what, const std::string& detail);

  GstPushSrc* element_;
  SrcSettings settings_;
  mutable std::mutex mutex_;  // of what other threads look at: reader_'s place, retarget_, counts_ ...
  std::unique_ptr<FrameReader> reader_;
  std::optional<std::string> retarget_;
  bool unlocked_ = false;
  bool key_frame_wanted_ = false;
  ReaderStats counts_;  // of the reader, as of its last read
  ReaderStats before_;  // of readers that were replaced
  std::shared_ptr<HeldSlots> slots_ = std::make_shared<HeldSlots>();
  TimeMap times_;
  std::optional<Format> format_;  // of the caps pushed last
  std::optional<Segment> segment_;
  std::string tags_;
  std::uint64_t connects_ = 0;  // of the reader, seen so far
  std::int64_t away_since_ns_ = 0;
  std::uint64_t frame_duration_ns_ = 0;
  bool discont_ = true;
  bool buffers_pushed_ = false;
};

}  // namespace reel::gst
