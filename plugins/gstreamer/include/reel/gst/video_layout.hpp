// Where the planes of a raw video buffer lie: GstVideoMeta and GstVideoInfo to and from VideoLayout.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/format/video_format.hpp>

namespace reel::gst {

/// Planes inside one run of bytes of a buffer; the layout's offsets count from `begin_bytes`.
struct PlaneRun {
  std::uint64_t begin_bytes = 0;
  VideoLayout layout;
};

/// Strides, offsets, padding and crop of `buffer`, which has the caps of `info` and `format`. Nothing is
/// mapped or copied. nullopt when the planes are no such run: several memories, negative strides, padding
/// that the buffer does not hold, a crop that falls between chroma samples.
[[nodiscard]] std::optional<PlaneRun> find_plane_run(GstBuffer* buffer, const GstVideoInfo& info,
                                                     const VideoFormat& format) noexcept;

/// Says with a GstVideoMeta where the planes lie. REQUIRES: `buffer` is writable and holds layout.bytes.
void attach_layout(GstBuffer* buffer, const VideoFormat& format, const VideoLayout& layout);

}  // namespace reel::gst
