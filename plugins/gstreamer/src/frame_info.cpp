#include <array>
#include <cmath>

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
// TAG_MEMORY is the memory's own affair, DELTA_UNIT the opposite of kKeyFrame.
constexpr std::array<FlagPair, 11> kFlags{{{GST_BUFFER_FLAG_DISCONT, kDiscont},
                                           {GST_BUFFER_FLAG_CORRUPTED, kCorrupted},
                                           {GST_BUFFER_FLAG_HEADER, kHeader},
                                           {GST_BUFFER_FLAG_DROPPABLE, kDroppable},
                                           {GST_BUFFER_FLAG_NON_DROPPABLE, kNonDroppable},
                                           {GST_BUFFER_FLAG_MARKER, kMarker},
                                           {GST_BUFFER_FLAG_RESYNC, kResync},
                                           {GST_BUFFER_FLAG_GAP, kNothingNew},
                                           {GST_BUFFER_FLAG_DECODE_ONLY, kDecodeOnly},
                                           {GST_BUFFER_FLAG_LIVE, kFromLive},
                                           {GST_BUFFER_FLAG_SYNC_AFTER, kSyncAfter}}};
static_assert(GST_BUFFER_FLAG_LAST == kFirstMediaFlag);

// Stream time that passes while `offset` of the segment does: exact up to 64 bits.
std::int64_t passed_stream_time(const GstSegment& segment) {
  return std::llround(static_cast<long double>(segment.offset) * std::abs(segment.applied_rate));
}

}  // namespace

FrameInfo frame_info(GstBuffer* buffer) noexcept {
  FrameInfo info;
  info.flags =
      GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT) ? 0u : static_cast<std::uint32_t>(kKeyFrame);
  for (const FlagPair& flag : kFlags)
    if (GST_BUFFER_FLAG_IS_SET(buffer, flag.theirs)) info.flags |= flag.ours;
  info.flags |= GST_BUFFER_FLAGS(buffer) & kMediaFlags;
  info.pts_ns = time_from(GST_BUFFER_PTS(buffer));
  info.dts_ns = time_from(GST_BUFFER_DTS(buffer));
  info.duration_ns = time_from(GST_BUFFER_DURATION(buffer));
  info.offset = GST_BUFFER_OFFSET(buffer);
  info.offset_end = GST_BUFFER_OFFSET_END(buffer);
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
  GST_BUFFER_FLAGS(buffer) = (GST_BUFFER_FLAGS(buffer) & ~kMediaFlags) | (info.flags & kMediaFlags);
  GST_BUFFER_PTS(buffer) = time_to(info.pts_ns);
  GST_BUFFER_DTS(buffer) = time_to(info.dts_ns);
  GST_BUFFER_DURATION(buffer) = time_to(info.duration_ns);
  GST_BUFFER_OFFSET(buffer) = info.offset;
  GST_BUFFER_OFFSET_END(buffer) = info.offset_end;
}

std::int64_t capture_time(const GstSegment& segment, std::int64_t pts_ns,
                          std::int64_t monotonic_offset_ns) noexcept {
  if (pts_ns < 0 || monotonic_offset_ns == kNoTime || segment.format != GST_FORMAT_TIME) return kNoTime;
  const guint64 running =
      gst_segment_to_running_time(&segment, GST_FORMAT_TIME, static_cast<guint64>(pts_ns));
  if (!GST_CLOCK_TIME_IS_VALID(running)) return kNoTime;
  return static_cast<std::int64_t>(running) + monotonic_offset_ns;
}

Segment segment_from(const GstSegment& segment, std::int64_t monotonic_offset_ns) noexcept {
  Segment ours;
  ours.monotonic_offset_ns = monotonic_offset_ns;
  if (segment.format != GST_FORMAT_TIME) return ours;
  ours.rate = segment.rate;
  ours.applied_rate = segment.applied_rate;
  ours.start_ns = time_from(segment.start);
  ours.stop_ns = time_from(segment.stop);
  ours.time_ns = time_from(GST_CLOCK_TIME_IS_VALID(segment.time) ? segment.time : segment.start);
  // `offset` says how much of the segment has passed already: the same as a later start, or an earlier stop
  // where it is played backwards. Stream time counts from the start, or from the stop where it runs
  // backwards.
  if (segment.rate > 0)
    ours.start_ns += static_cast<std::int64_t>(segment.offset);
  else if (ours.stop_ns != kNoTime)
    ours.stop_ns -= static_cast<std::int64_t>(segment.offset);
  if ((segment.rate > 0) == (segment.applied_rate > 0)) ours.time_ns += passed_stream_time(segment);
  ours.base_ns = static_cast<std::int64_t>(segment.base);
  return ours;
}

GstSegment segment_to(const Segment& segment) noexcept {
  GstSegment theirs;
  gst_segment_init(&theirs, GST_FORMAT_TIME);
  theirs.rate = segment.rate;
  theirs.applied_rate = segment.applied_rate;
  theirs.start = time_to(segment.start_ns);
  theirs.stop = time_to(segment.stop_ns);
  theirs.time = time_to(segment.time_ns);
  theirs.base = time_to(segment.base_ns);
  theirs.position = segment.rate > 0 || segment.stop_ns == kNoTime ? theirs.start : theirs.stop;
  return theirs;
}

}  // namespace reel::gst
