// What reelsrc does between its virtual methods: waits for frames so that unlock() is prompt, follows writers
// that come and go, turns records into caps, segments, tags and events, frames into buffers. The streaming
// thread calls create(); what is marked so may be called from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <gst/base/gstpushsrc.h>

#include <reel/base/error.hpp>
#include <reel/base/time_slice.hpp>
#include <reel/channel/frame_reader.hpp>
#include <reel/gst/pointers.hpp>

#include "clock_pair.hpp"
#include "frame_buffer.hpp"
#include "inlet.hpp"
#include "key_frame_gate.hpp"
#include "latency_meter.hpp"
#include "live_placement.hpp"
#include "src_settings.hpp"

namespace reel::gst {

/// Why a connection is over; the nick that the signal "disconnected" tells.
enum class Parting { ended, lost, switched, stopped };

class Source {
 public:
  explicit Source(GstPushSrc* element) : element_(element) {}

  /// False after an error was posted on the bus.
  bool open(const SrcSettings& settings);
  void close();

  /// The streaming thread, which is one of a pool that others use too: around all that it does for us.
  void enter_thread() { slices_.emplace(); }
  void leave_thread() { slices_.reset(); }
  GstFlowReturn create(GstBuffer** buffer);
  /// Whether downstream reads GstVideoMeta: it was asked anew.
  void set_any_layout(bool known) noexcept { any_layout_ = known; }

  // From any thread:

  /// The base class gives buffers their times when they are handed on: do-timestamp.
  void set_stamped_anew(bool on) noexcept { stamped_anew_.store(on, std::memory_order_relaxed); }
  /// The other stream from the next buffer on.
  void retarget(std::string stream) { inlet_.retarget(std::move(stream)); }
  void unlock() { inlet_.unlock(); }
  void resume();
  /// A live source gives nothing in PAUSED.
  void pause() { inlet_.pause(); }
  /// A live source meets its writer when it plays for the first time. False after an error was posted.
  [[nodiscard]] bool play();
  void ask_for_key_frame() { inlet_.ask_for_key_frame(); }
  /// Owned by the caller.
  [[nodiscard]] GstStructure* stats() const;
  struct Latency {
    GstClockTime least, most;
  };
  [[nodiscard]] Latency latency() const noexcept;

 private:
  /// What the reader does not count. Written by the streaming thread, under mutex_.
  struct Counts {
    std::uint64_t copied = 0, repacked = 0;
    std::uint64_t late = 0;         // before the pipeline's zero, or before what was delivered already
    std::uint64_t undecodable = 0;  // before a key frame
  };

  // source.cpp: the stream and its writers
  bool open_inlet(const std::string& stream);
  void refuse(ErrorCode code, const std::string& reason);
  bool switch_stream();
  GstFlowReturn next(Frame& frame, bool& again);
  GstFlowReturn look_around();
  GstFlowReturn meet_writer(bool& met);
  GstFlowReturn without_writer();
  void tell_of_absence();
  void new_slots();
  void tell_connected();
  void tell_parting(Parting why);
  GstFlowReturn fail(const std::string& what, const std::string& detail);

  // source_frames.cpp: what becomes of a frame
  GstFlowReturn hand_on(Frame& frame, GstBuffer** buffer, bool& again);
  [[nodiscard]] bool decodable(const Frame& frame);
  void ask_after_gap();
  void ask_where_closed();
  [[nodiscard]] bool place(const Frame& frame, FrameInfo& info);
  [[nodiscard]] bool place_live(const Frame& frame, FrameInfo& info);
  void place_as_sent(const Frame& frame, const FrameInfo& info);
  void tell_of_loss(const FrameInfo& info);
  void take_on(Frame&& frame, const FrameInfo& info, GstBuffer** buffer);
  GstFlowReturn follow_format(const Frame& frame);
  void follow_tags(const Frame& frame);
  void push_gap(const FrameInfo& info);
  void push_event(const Frame& frame);
  void push_in_order(GstEvent* event);
  void measure(const FrameInfo& info, const LivePlacement::Placed& placed);
  template <typename Change>
  void count(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(counts_);
  }

  GstPushSrc* element_;
  std::optional<ShortSlices> slices_;
  SrcSettings settings_;
  bool live_ = true;
  Inlet inlet_;
  mutable std::mutex mutex_;  // of what stats() looks at
  Counts counts_;
  std::atomic<std::uint64_t> sequence_{0};  // of the newest frame
  ReaderStats before_;                      // of streams that were switched away from
  std::shared_ptr<HeldSlots> slots_ = std::make_shared<HeldSlots>();

  std::uint64_t connects_ = 0;   // of the present reader, seen so far
  std::uint64_t corrupted_ = 0;  // the same
  std::uint64_t missed_ = 0;     // frames it passed over, as of the last one it gave
  bool connected_ = false;       // as told
  bool played_ = false;
  std::int64_t away_since_ns_ = 0;
  std::int64_t absence_told_ns_ = 0;  // the away_since_ns_ of the absence that was told of last

  ClockPair clock_;
  std::atomic<bool> time_line_changed_{false};     // another clock or base time
  std::atomic<std::int64_t> play_on_ns_{kNoTime};  // the pipeline plays again since then
  std::atomic<bool> flushed_{false};
  LivePlacement placement_;
  LatencyMeter meter_;
  std::atomic<std::uint32_t> ring_slots_{0};
  std::atomic<bool> bounded_{false};  // the policy lets frames go that wait for longer than the ring is deep
  KeyFrameGate gate_;

  std::optional<Format> format_;    // of the caps pushed last
  GstVideoInfo picture_{};          // the same, where they are of a video format
  std::optional<Segment> segment_;  // not live: pushed last
  std::int64_t base_shift_ns_ = 0;  // not live: running time before the present writer's zero
  std::int64_t last_running_ns_ = 0;
  bool joined_ = false;  // the next frame is the first of a writer
  std::string tags_;
  std::atomic<bool> any_layout_{true};
  std::atomic<bool> stamped_anew_{false};
  std::atomic<bool> segment_due_{false};  // the base class pushes one before the next buffer
  bool discont_ = true;
  bool delivered_ = false;
  std::uint64_t lost_ = 0;  // frames, not told of yet
  std::int64_t told_of_loss_ns_ = 0;
};

}  // namespace reel::gst
