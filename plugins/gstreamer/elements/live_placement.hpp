// Where a live reelsrc puts its frames on the pipeline's time line, beginnings, pauses and changes of writer
// included. Streaming thread alone, but for the shift that the pipeline's elements share.
#pragma once

#include <cstdint>

#include <reel/channel/options.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>

#include "pipeline_shift.hpp"
#include "time_map.hpp"

namespace reel::gst {

/// What a frame is of: encoded ones depend on each other, so they cannot be left out singly.
enum class Dependence { none, on_others };

/// The rules, in this order:
///  - A frame lies where its sender presented it (TimeMap), plus the pipeline's shift.
///  - Nothing lies before the pipeline's zero. A lossless reader owes every frame: the shift grows so that
///    the first is at zero. Else a frame that was published before the pipeline's zero (or before it played
///    on after a pause) is `stale`: it shows a past that nobody watched. One that is fresh but a little
///    before zero is `past`; by more than kLittleNs its sender lags, and the shift grows.
///  - Times never decrease from one writer, stream or pause to the next: an overlap up to kOverlapNs is left
///    out (encoded: held at the last time), a larger one, or any of a lossless reader, grows the shift.
class LivePlacement {
 public:
  static constexpr std::int64_t kLittleNs = 100'000'000;
  static constexpr std::int64_t kOverlapNs = 500'000'000;
  static constexpr std::int64_t kHeadroomNs = 200'000'000;      // for the other streams of the same sender
  static constexpr std::int64_t kSmallHeadroomNs = 20'000'000;  // the same, where latency counts for more

  enum class Verdict { deliver, past, stale };
  struct Placed {
    Verdict verdict = Verdict::deliver;
    FrameInfo info;            // with times of this pipeline
    bool late_known = false;   // late_ns is
    std::int64_t late_ns = 0;  // from its time here to its being published
    bool new_segment = false;  // segment_start_ns() has changed
  };
  struct Moment {
    std::int64_t publish_ns = 0;  // CLOCK_MONOTONIC
    std::int64_t offset_ns = 0;   // CLOCK_MONOTONIC minus the pipeline's running time
  };

  LivePlacement() = default;
  LivePlacement(Policy policy, PipelineShift shift) : policy_(policy), shift_(std::move(shift)) {}

  /// The next frame is of another writer or stream.
  void join() noexcept;
  /// The pipeline plays on after a pause, since `now_ns` of CLOCK_MONOTONIC.
  void play_on(std::int64_t now_ns) noexcept;

  /// The pipeline was flushed: what was delivered before is forgotten.
  void flush() noexcept;

  /// `segment` may be nullptr.
  [[nodiscard]] Placed place(const FrameInfo& info, const Segment* segment, Moment moment,
                             Dependence dependence) noexcept;
  /// A stale frame that is wanted all the same, as the newest there is: at the pipeline's zero.
  [[nodiscard]] FrameInfo at_zero(const FrameInfo& info) noexcept;

  /// Where the pipeline's zero is among the times that place() gives: 0, or more where frames before it were
  /// delivered for others that depend on them.
  [[nodiscard]] std::int64_t segment_start_ns() const noexcept { return lead_ns_; }

 private:
  [[nodiscard]] std::int64_t overlap_of(std::int64_t first_ns) const noexcept;
  void remember(const FrameInfo& info) noexcept;

  Policy policy_ = Policy::queue;
  PipelineShift shift_;
  TimeMap map_;
  std::int64_t lead_ns_ = 0;
  std::int64_t fresh_since_ns_ = kNoTime;  // CLOCK_MONOTONIC: older frames are stale
  bool delivered_ = false;
  bool joint_ = false;            // the next frame is the first of another writer, stream or time of playing
  std::int64_t last_pts_ns_ = 0;  // without the lead
  std::int64_t last_end_ns_ = 0;
};

}  // namespace reel::gst
