// Side data and metas: what one side calls a detection is the other's region of interest; the capture time is
// a reference timestamp. Stateless.
#pragma once

#include <cstdint>

#include <gst/gst.h>

#include <reel/channel/frame.hpp>
#include <reel/format/side_data.hpp>

namespace reel::gst {

/// Detections as GstVideoRegionOfInterestMeta (its type is the label; a parameter structure "detection" has
/// score, track-id and the source's name), the capture time as a GstReferenceTimestampMeta of
/// "timestamp/x-clock-monotonic". `buffer` is writable.
void attach_side_data(GstBuffer* buffer, const Frame& frame);

/// The way back. What cannot travel is counted by the return value: metas that neither stay implied by the
/// format nor found a place in `side_data`.
std::uint64_t collect_side_data(GstBuffer* buffer, SideDataWriter& side_data);

/// Of a "timestamp/x-clock-monotonic" reference timestamp; kNoTime where the buffer has none.
[[nodiscard]] std::int64_t reference_time(GstBuffer* buffer) noexcept;

}  // namespace reel::gst
