#include <algorithm>
#include <array>
#include <span>
#include <string>

#include <reel/format/frame_info.hpp>
#include <reel/gst/video_layout.hpp>

namespace reel::gst {

namespace {

// Buffers say with their own flags what GstVideoMeta says with its, so many bits up.
static_assert(GST_VIDEO_BUFFER_FLAG_INTERLACED == GST_VIDEO_FRAME_FLAG_INTERLACED * kFirstMediaFlag &&
              GST_VIDEO_BUFFER_FLAG_ONEFIELD == GST_VIDEO_FRAME_FLAG_ONEFIELD * kFirstMediaFlag &&
              GST_VIDEO_BUFFER_FLAG_FIRST_IN_BUNDLE ==
                  GST_VIDEO_FRAME_FLAG_FIRST_IN_BUNDLE * kFirstMediaFlag);

constexpr std::uint32_t kFrameFlags =
    std::uint32_t{GST_VIDEO_FRAME_FLAG_INTERLACED} | GST_VIDEO_FRAME_FLAG_TFF | GST_VIDEO_FRAME_FLAG_RFF |
    GST_VIDEO_FRAME_FLAG_ONEFIELD | GST_VIDEO_FRAME_FLAG_MULTIPLE_VIEW | GST_VIDEO_FRAME_FLAG_FIRST_IN_BUNDLE;

struct Placement {
  std::array<std::uint64_t, kMaxPlanes> offsets{};
  std::array<std::uint32_t, kMaxPlanes> strides{};
};

std::optional<Placement> placement_of(const GstVideoMeta* meta, const GstVideoInfo& info,
                                      std::uint32_t planes) {
  Placement place;
  for (std::uint32_t plane = 0; plane < planes; ++plane) {
    const gint stride = meta != nullptr ? meta->stride[plane] : info.stride[plane];
    if (stride <= 0) return std::nullopt;
    place.strides[plane] = static_cast<std::uint32_t>(stride);
    place.offsets[plane] = meta != nullptr ? meta->offset[plane] : info.offset[plane];
  }
  return place;
}

// Of the components that lie in `plane`.
bool mixes_densities(const GstVideoFormatInfo* format, guint plane) {
  guint least = G_MAXUINT, most = 0;
  for (guint component = 0; component < format->n_components; ++component) {
    if (format->plane[component] != plane) continue;
    least = std::min(least, format->w_sub[component]);
    most = std::max(most, format->w_sub[component]);
  }
  return most > least;
}

// Moves every plane to the crop's corner: to the chroma sample that the corner's pixel has its colour of.
// False for samples of several densities in one plane (YUY2) when the corner is between those of the coarser.
bool crop_to(Placement& place, const GstVideoCropMeta& crop, const GstVideoFormatInfo* format) {
  for (guint component = 0; component < format->n_components; ++component) {
    const guint plane = format->plane[component];
    const guint x_step = 1u << format->w_sub[component];
    const guint y_step = 1u << format->h_sub[component];
    if (crop.x % x_step != 0 && mixes_densities(format, plane)) return false;
    const bool first_of_plane =
        std::find(format->plane, format->plane + component, plane) == format->plane + component;
    if (!first_of_plane) continue;
    const auto pixel_bytes = static_cast<std::uint64_t>(format->pixel_stride[component]);
    place.offsets[plane] +=
        std::uint64_t{crop.y / y_step} * place.strides[plane] + crop.x / x_step * pixel_bytes;
  }
  return true;
}

// GStreamer knows its formats by a search through their names: not for every frame.
GstVideoFormat format_of(PixelFormat pixel) {
  static const auto table = [] {
    std::array<GstVideoFormat, 32> made{};
    for (const PixelFormat one : all_pixel_formats())
      made.at(static_cast<std::size_t>(one)) =
          gst_video_format_from_string(std::string(to_string(one)).c_str());
    return made;
  }();
  return table.at(static_cast<std::size_t>(pixel));
}

}  // namespace

const GstVideoCropMeta* crop_of(GstBuffer* buffer, const VideoFormat& format) noexcept {
  const GstVideoCropMeta* crop = gst_buffer_get_video_crop_meta(buffer);
  return crop != nullptr && crop->width == format.width && crop->height == format.height ? crop : nullptr;
}

std::optional<PlaneRun> find_plane_run(GstBuffer* buffer, const GstVideoInfo& info,
                                       const VideoFormat& format) noexcept {
  if (gst_buffer_n_memory(buffer) != 1) return std::nullopt;
  const std::uint32_t planes = plane_count(format.pixel);
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (planes == 0 || (meta != nullptr && meta->n_planes < planes)) return std::nullopt;
  std::optional<Placement> place = placement_of(meta, info, planes);
  if (!place) return std::nullopt;
  const GstVideoCropMeta* crop = crop_of(buffer, format);
  if (crop != nullptr && !crop_to(*place, *crop, info.finfo)) return std::nullopt;

  const auto offsets = std::span(place->offsets).first(planes);
  const std::uint64_t begin = *std::min_element(offsets.begin(), offsets.end());
  const std::uint64_t size = gst_buffer_get_size(buffer);
  if (begin >= size) return std::nullopt;
  for (std::uint64_t& offset : offsets) offset -= begin;
  const auto layout = checked_layout(format, offsets, std::span(place->strides).first(planes), size - begin);
  if (!layout) return std::nullopt;
  return PlaneRun{begin, *layout};
}

bool has_picture_flags(std::uint32_t frame_flags) noexcept {
  return (frame_flags / kFirstMediaFlag & kFrameFlags) != 0;
}

void attach_layout(GstBuffer* buffer, const VideoFormat& format, const VideoLayout& layout,
                   std::uint32_t frame_flags) {
  std::array<gsize, GST_VIDEO_MAX_PLANES> offsets{};
  std::array<gint, GST_VIDEO_MAX_PLANES> strides{};
  for (std::uint32_t plane = 0; plane < layout.plane_count; ++plane) {
    offsets[plane] = layout.planes[plane].offset_bytes;
    strides[plane] = static_cast<gint>(layout.planes[plane].stride_bytes);
  }
  const auto flags = static_cast<GstVideoFrameFlags>(frame_flags / kFirstMediaFlag & kFrameFlags);
  gst_buffer_add_video_meta_full(buffer, flags, format_of(format.pixel), format.width, format.height,
                                 layout.plane_count, offsets.data(), strides.data());
}

}  // namespace reel::gst
