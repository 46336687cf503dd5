#include "recorder/time_line.hpp"

#include <algorithm>

#include <reel/gst/frame_info.hpp>

#include "recorder/boot_id.hpp"

namespace record {
namespace {

constexpr std::int64_t kBack_ns = 200'000'000;  // times that go back by more begin anew
constexpr std::int64_t kSameBoot_ns = 10'000'000'000;

/// Pts on the stream's running time; kNoTime where it has none.
[[nodiscard]] std::int64_t running_time(const SpooledFrame& frame, std::int64_t time_ns) {
  if (time_ns == reel::kNoTime || !frame.segment) return time_ns;
  const GstSegment segment = reel::gst::segment_to(*frame.segment);
  // Pictures before the segment's start count as well: encoded ones may be needed.
  guint64 running = 0;
  const int sign =
      gst_segment_to_running_time_full(&segment, GST_FORMAT_TIME, static_cast<guint64>(time_ns), &running);
  if (sign == 0) return reel::kNoTime;
  return sign > 0 ? static_cast<std::int64_t>(running) : -static_cast<std::int64_t>(running);
}

[[nodiscard]] bool bound_to_clock(const SpooledFrame& frame) {
  return frame.info.pts_ns == reel::kNoTime || (frame.info.flags & reel::kFromLive) != 0 ||
         (frame.segment && frame.segment->monotonic_offset_ns != reel::kNoTime);
}

/// By the clock that its source's streams share, where they have one: sound stays in step with the picture.
[[nodiscard]] std::int64_t capture_of(const SpooledFrame& frame, std::int64_t running_ns) {
  const bool shared = frame.segment && frame.segment->monotonic_offset_ns != reel::kNoTime;
  return shared && running_ns != reel::kNoTime ? running_ns + frame.segment->monotonic_offset_ns
                                               : frame.info.capture_ns;
}

[[nodiscard]] std::int64_t duration_of(const SpooledFrame& frame) {
  if (const reel::AudioFormat* audio = frame.format->audio(); audio != nullptr && frame.buffer)
    return static_cast<std::int64_t>(gst_util_uint64_scale(
        gst_buffer_get_size(frame.buffer.get()) / sample_frame_bytes(*audio), GST_SECOND, audio->rate_hz));
  return frame.info.duration_ns;
}

/// Of the wall clock from CLOCK_MONOTONIC, now.
[[nodiscard]] std::int64_t wall_offset_ns() {
  return reel::realtime_ns() - reel::monotonic_ns();
}

/// CLOCK_MONOTONIC of media time 0 so that a recording goes on after `last`, which may be of another boot.
[[nodiscard]] std::int64_t anchor_after(const SegmentRecord& last, std::int64_t now_ns) {
  const std::int64_t behind_ns = now_ns - (last.end_ns + 1);  // no earlier than right behind it
  if (last.clocks.empty()) return behind_ns;
  const ClockPair& pair = last.clocks.back();
  const std::int64_t pair_ns = of_this_boot(last) ? pair.monotonic_ns : pair.utc_ns - wall_offset_ns();
  return std::min(pair_ns - pair.media_ns, behind_ns);
}

}  // namespace

bool of_this_boot(const SegmentRecord& record) {
  if (!record.boot.empty()) return record.boot == boot_id();
  if (record.clocks.empty()) return false;
  const ClockPair& pair = record.clocks.back();
  return std::abs((pair.utc_ns - pair.monotonic_ns) - wall_offset_ns()) < kSameBoot_ns;
}

TimeLine::TimeLine(std::size_t inputs, const std::optional<SegmentRecord>& last)
    : last_(last), inputs_(inputs) {}

void TimeLine::begin(const SpooledFrame& first) {
  const std::int64_t capture_ns =
      bound_to_clock(first) ? capture_of(first, running_time(first, first.info.pts_ns)) : reel::kNoTime;
  const std::int64_t now_ns = capture_ns != reel::kNoTime ? capture_ns : first.published_ns;
  anchor_ns_ = last_ ? anchor_after(*last_, now_ns) : now_ns;
  newest_ns_ = now_ns;
}

std::int64_t TimeLine::clock_time_of(const SpooledFrame& frame, std::int64_t running_ns, Input& input) {
  if (input.last_running_ns != reel::kNoTime && running_ns < input.last_running_ns - kBack_ns) ++input.runs;
  // The first input whose times begin anew says where; the others of the same source follow.
  while (run_begin_ns_.size() <= input.runs) run_begin_ns_.push_back(newest_ns_ - running_ns);
  input.last_running_ns = running_ns;
  const std::int64_t time_ns = run_begin_ns_[input.runs] + running_ns;
  newest_ns_ = std::max(newest_ns_, time_ns + std::max<std::int64_t>(0, duration_of(frame)));
  return time_ns;
}

MediaTime TimeLine::place(const SpooledFrame& frame) {
  if (!anchor_ns_) begin(frame);
  Input& input = inputs_[frame.input];
  if (!input.clock) {
    TrackClock::Settings settings;
    settings.anchor_ns = *anchor_ns_;
    input.clock.emplace(settings);
  }
  FrameTimes times;
  times.pts_ns = running_time(frame, frame.info.pts_ns);
  times.dts_ns = running_time(frame, frame.info.dts_ns);
  times.duration_ns = duration_of(frame);
  times.discont = (frame.info.flags & reel::kDiscont) != 0;
  times.reordered = frame.format->encoded() != nullptr;
  if (bound_to_clock(frame)) {
    times.capture_ns = capture_of(frame, times.pts_ns);
    times.arrived_ns = frame.published_ns;
  } else {
    times.capture_ns = times.arrived_ns = clock_time_of(frame, times.pts_ns, input);
  }
  return input.clock->place(times);
}

ClockPair TimeLine::clocks_at(std::int64_t media_ns) const {
  const std::int64_t monotonic_ns = anchor_ns_.value_or(reel::monotonic_ns()) + media_ns;
  return {media_ns, monotonic_ns, monotonic_ns + (reel::realtime_ns() - reel::monotonic_ns())};
}

}  // namespace record
