#include <array>

#include <reel/gst/frame_info.hpp>

namespace reel::gst {

namespace {

std::int64_t time_from(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? static_cast<std::int64_t>(time) : kNoTime;
}
GstClockTime time_to(std::int64_t time) {
  return time < 0 ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(time);
}

struct FlagPair {
  GstBufferFlags theirs;
  FrameFlag ours;
};
constexpr std::array<FlagPair, 4> kFlags{{{GST_BUFFER_FLAG_DISCONT, kDiscont},
                                          {GST_BUFFER_FLAG_CORRUPTED, kCorrupted},
                                          {GST_BUFFER_FLAG_HEADER, kHeader},
                                          {GST_BUFFER_FLAG_DROPPABLE, kDroppable}}};

}  // namespace

FrameInfo frame_info(GstBuffer* buffer) noexcept {
  FrameInfo info;
  info.flags =
      GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT) ? 0u : static_cast<std::uint32_t>(kKeyFrame);
  for (const FlagPair& flag : kFlags)
    if (GST_BUFFER_FLAG_IS_SET(buffer, flag.theirs)) info.flags |= flag.ours;
  info.pts_ns = time_from(GST_BUFFER_PTS(buffer));
  info.dts_ns = time_from(GST_BUFFER_DTS(buffer));
  info.duration_ns = time_from(GST_BUFFER_DURATION(buffer));
  info.offset = GST_BUFFER_OFFSET(buffer);
  return info;
}

void set_frame_info(GstBuffer* buffer, const FrameInfo& info) noexcept {
  if ((info.flags & kKeyFrame) != 0)
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  else
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  for (const FlagPair& flag : kFlags) {
    if ((info.flags & flag.ours) != 0)
      GST_BUFFER_FLAG_SET(buffer, flag.theirs);
    else
      GST_BUFFER_FLAG_UNSET(buffer, flag.theirs);
  }
  GST_BUFFER_PTS(buffer) = time_to(info.pts_ns);
  GST_BUFFER_DTS(buffer) = time_to(info.dts_ns);
  GST_BUFFER_DURATION(buffer) = time_to(info.duration_ns);
  GST_BUFFER_OFFSET(buffer) = info.offset;
}

std::int64_t capture_time(const GstSegment& segment, std::int64_t pts_ns,
                          std::int64_t monotonic_offset_ns) noexcept {
  if (pts_ns < 0 || monotonic_offset_ns == kNoTime) return kNoTime;
  const guint64 running =
      gst_segment_to_running_time(&segment, GST_FORMAT_TIME, static_cast<guint64>(pts_ns));
  if (!GST_CLOCK_TIME_IS_VALID(running)) return kNoTime;
  return static_cast<std::int64_t>(running) + monotonic_offset_ns;
}

Segment segment_from(const GstSegment& segment, std::int64_t monotonic_offset_ns) noexcept {
  // A seek's `offset` says how much of the segment has passed already: the same as a later start.
  const auto passed = static_cast<std::int64_t>(segment.offset);
  Segment ours;
  ours.rate = segment.rate;
  ours.start_ns = static_cast<std::int64_t>(segment.start) + passed;
  ours.stop_ns = time_from(segment.stop);
  ours.time_ns = GST_CLOCK_TIME_IS_VALID(segment.time) ? static_cast<std::int64_t>(segment.time) + passed
                                                       : ours.start_ns;
  ours.base_ns = static_cast<std::int64_t>(segment.base);
  ours.monotonic_offset_ns = monotonic_offset_ns;
  return ours;
}

GstSegment segment_to(const Segment& segment) noexcept {
  GstSegment theirs;
  gst_segment_init(&theirs, GST_FORMAT_TIME);
  theirs.rate = segment.rate;
  theirs.start = time_to(segment.start_ns);
  theirs.stop = time_to(segment.stop_ns);
  theirs.time = time_to(segment.time_ns);
  theirs.base = time_to(segment.base_ns);
  theirs.position = theirs.start;
  return theirs;
}

}  // namespace reel::gst
