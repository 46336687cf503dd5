// Times, flags and time lines: GstBuffer to and from FrameInfo, GstSegment to and from reel::Segment. Pure;
// thread-safe.
#pragma once

#include <cstdint>

#include <gst/gst.h>

#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>

namespace reel::gst {

/// Everything but capture_ns, which no buffer carries: see capture_time().
[[nodiscard]] FrameInfo frame_info(GstBuffer* buffer) noexcept;
/// REQUIRES: `buffer` is writable.
void set_frame_info(GstBuffer* buffer, const FrameInfo& info) noexcept;

/// CLOCK_MONOTONIC of the presentation of `pts_ns`; kNoTime when the time lies outside the segment or the
/// segment is not bound to a clock.
[[nodiscard]] std::int64_t capture_time(const GstSegment& segment, std::int64_t pts_ns,
                                        std::int64_t monotonic_offset_ns) noexcept;

/// `monotonic_offset_ns` as monotonic_offset() gives it. Running and stream times of every position are those
/// of `segment`, its `offset` included. A segment in another format than TIME says nothing of times: it
/// becomes the default segment.
[[nodiscard]] Segment segment_from(const GstSegment& segment, std::int64_t monotonic_offset_ns) noexcept;
[[nodiscard]] GstSegment segment_to(const Segment& segment) noexcept;

}  // namespace reel::gst
