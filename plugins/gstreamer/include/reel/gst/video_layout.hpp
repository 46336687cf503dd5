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

/// The crop that leaves a picture of the caps' size: it is part of where the planes lie. nullptr where there
/// is none, or one of another size, which only hints at a part of the picture and travels beside it.
[[nodiscard]] const GstVideoCropMeta* crop_of(GstBuffer* buffer, const VideoFormat& format) noexcept;

/// Strides, offsets, padding and crop of `buffer`, which has the caps of `info` and `format`. Nothing is
/// mapped or copied. A crop between chroma samples takes the sample that its first pixel has its colour of,
/// as videocrop does. nullopt when the planes are no such run: several memories, negative strides, padding
/// that the buffer does not hold, a crop between the pixel pairs of YUY2 or UYVY.
[[nodiscard]] std::optional<PlaneRun> find_plane_run(GstBuffer* buffer, const GstVideoInfo& info,
                                                     const VideoFormat& format) noexcept;

/// Some of `frame_flags`, of FrameInfo, are a GstVideoMeta's: interlaced, top field first ...
[[nodiscard]] bool has_picture_flags(std::uint32_t frame_flags) noexcept;

/// Says with a GstVideoMeta where the planes lie; its flags (interlaced, top field first ...) are those among
/// `frame_flags`, of FrameInfo. REQUIRES: `buffer` is writable and holds layout.bytes.
void attach_layout(GstBuffer* buffer, const VideoFormat& format, const VideoLayout& layout,
                   std::uint32_t frame_flags = 0);

}  // namespace reel::gst
