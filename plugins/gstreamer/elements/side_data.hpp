// Side data and metas: what one side has no word for travels as an entry or a meta that the other only passes
// on. Which meta travels how: the table in README.md. Stateless; entries may be anybody's.
#pragma once

#include <cstdint>
#include <span>

#include <gst/gst.h>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/side_data.hpp>

#include "lost_metas.hpp"

namespace reel::gst {

/// Detections as GstVideoRegionOfInterestMeta, the metas that collect_side_data() wrote as what they were,
/// other entries (and what regions lose on their way) as custom metas "ReelSideData", `capture_ns` as a
/// GstReferenceTimestampMeta of "timestamp/x-clock-monotonic" (unless kNoTime). REQUIRES: `buffer` is
/// writable and has its memory, all of it, and a GstVideoMeta where its planes lie other than the caps say.
void attach_side_data(GstBuffer* buffer, const Format& format, std::int64_t capture_ns,
                      const SideDataView& side_data);

/// The way back: every meta of `buffer`, which has the caps of `format`, that neither the format implies nor
/// FrameInfo has a place for. Those that cannot travel, or find no room, are counted in `lost`.
void collect_side_data(GstBuffer* buffer, const Format& format, SideDataWriter& side_data, LostMetas& lost);

/// Of a "timestamp/x-clock-monotonic" reference timestamp; kNoTime where the buffer has none.
[[nodiscard]] std::int64_t reference_time(GstBuffer* buffer) noexcept;

}  // namespace reel::gst
