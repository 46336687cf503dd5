#include "layout_metas.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <reel/gst/caps.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/video_layout.hpp>

#include "packed.hpp"

namespace reel::gst {
namespace {

constexpr std::uint32_t kFrameFlags =
    std::uint32_t{GST_VIDEO_FRAME_FLAG_INTERLACED} | GST_VIDEO_FRAME_FLAG_TFF | GST_VIDEO_FRAME_FLAG_RFF |
    GST_VIDEO_FRAME_FLAG_ONEFIELD | GST_VIDEO_FRAME_FLAG_MULTIPLE_VIEW | GST_VIDEO_FRAME_FLAG_FIRST_IN_BUNDLE;
constexpr gsize kMostChannels = 64;  // of GStreamer

struct Size {
  guint width = 0, height = 0;
};

std::optional<GstVideoInfo> video_info(const Format& format) {
  const Ptr<GstCaps> caps(gst_caps_from_string(format.caps().c_str()));
  GstVideoInfo info{};
  if (!caps || gst_video_info_from_caps(&info, caps.get()) == FALSE) return std::nullopt;
  return info;
}

// Of the picture that a crop is a part of.
Size picture_size(GstBuffer* buffer, const Format& format) {
  if (const VideoFormat* video = format.video()) return {video->width, video->height};
  if (const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer)) return {meta->width, meta->height};
  const auto info = video_info(format);
  if (!info) return {};
  return {static_cast<guint>(GST_VIDEO_INFO_WIDTH(&*info)),
          static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&*info))};
}

bool lies_in(guint x, guint y, guint width, guint height, const Size& picture) {
  return guint64{x} + width <= picture.width && guint64{y} + height <= picture.height;
}

// Of a row of `plane`, the last sample included; 0 for formats whose samples are packed across bytes.
gsize row_bytes(const GstVideoFormatInfo& format, guint plane, guint width) {
  gsize most = 0;
  for (guint component = 0; component < format.n_components; ++component) {
    if (format.plane[component] != plane) continue;
    const auto columns = static_cast<gsize>(GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(&format, component, width));
    most = std::max(most, columns * static_cast<gsize>(format.pixel_stride[component]));
  }
  return most;
}

gsize rows_of(const GstVideoFormatInfo& format, guint plane, guint height) {
  for (guint component = 0; component < format.n_components; ++component) {
    if (format.plane[component] == plane)
      return static_cast<gsize>(GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(&format, component, height));
  }
  return height;  // a palette
}

// As far as a consumer may read by this meta.
bool planes_lie_in(gsize size, const GstVideoInfo& caps, const Size& picture, std::span<const gsize> offsets,
                   std::span<const gint> strides) {
  const GstVideoFormatInfo& format = *caps.finfo;
  GstVideoInfo plain{};
  if (gst_video_info_set_format(&plain, GST_VIDEO_INFO_FORMAT(&caps), picture.width, picture.height) == FALSE)
    return false;
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&caps); ++plane) {
    const gsize row = row_bytes(format, plane, picture.width);
    const auto least = row != 0 ? row : static_cast<gsize>(GST_VIDEO_INFO_PLANE_STRIDE(&plain, plane));
    if (strides[plane] <= 0 || static_cast<gsize>(strides[plane]) < least || offsets[plane] > size)
      return false;
    const gsize shown =
        (rows_of(format, plane, picture.height) - 1) * static_cast<gsize>(strides[plane]) + least;
    if (shown > size - offsets[plane]) return false;
  }
  return true;
}

// GStreamer wants the planes of an audio buffer apart.
bool planes_are_apart(std::vector<gsize> offsets, gsize plane_bytes, gsize size) {
  std::sort(offsets.begin(), offsets.end());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] > size || plane_bytes > size - offsets[i]) return false;
    if (i > 0 && offsets[i] - offsets[i - 1] < plane_bytes) return false;
  }
  return true;
}

}  // namespace

bool write_video_meta(const GstVideoMeta& meta, const Format& format, SideDataWriter& side_data) {
  if (format.video() != nullptr) return true;
  Packer bytes;
  bytes.text(gst_video_format_to_string(meta.format)).number(static_cast<std::uint32_t>(meta.flags));
  bytes.number(meta.id).number(meta.width).number(meta.height).number(meta.n_planes);
  for (guint plane = 0; plane < std::min<guint>(meta.n_planes, GST_VIDEO_MAX_PLANES); ++plane)
    bytes.number(static_cast<std::uint64_t>(meta.offset[plane])).number(meta.stride[plane]);
  return side_data.add_bytes(kVideoMeta, bytes.packed());
}

void attach_video_meta(GstBuffer* buffer, std::span<const std::byte> entry, const Format& format) {
  Unpacker from(entry);
  const std::string name = from.text();
  const auto flags = static_cast<GstVideoFrameFlags>(from.number<std::uint32_t>() & kFrameFlags);
  const auto id = from.number<gint>();
  const Size size{from.number<guint>(), from.number<guint>()};
  const auto planes = from.number<guint>();
  std::array<gsize, GST_VIDEO_MAX_PLANES> offsets{};
  std::array<gint, GST_VIDEO_MAX_PLANES> strides{};
  for (guint plane = 0; plane < std::min<guint>(planes, GST_VIDEO_MAX_PLANES); ++plane) {
    offsets[plane] = from.number<std::uint64_t>();
    strides[plane] = from.number<gint>();
  }
  if (!from.done() || format.video() != nullptr) return;
  const auto caps = video_info(format);
  if (!caps || name != GST_VIDEO_INFO_NAME(&*caps) || planes != GST_VIDEO_INFO_N_PLANES(&*caps)) return;
  // Tiles have no strides in bytes: their layout is the caps' own.
  if (GST_VIDEO_FORMAT_INFO_IS_TILED(caps->finfo) || size.width > kMaxVideoSize ||
      size.height > kMaxVideoSize ||
      !lies_in(0, 0, static_cast<guint>(GST_VIDEO_INFO_WIDTH(&*caps)),
               static_cast<guint>(GST_VIDEO_INFO_FIELD_HEIGHT(&*caps)), size) ||
      !planes_lie_in(gst_buffer_get_size(buffer), *caps, size, offsets, strides))
    return;
  GstVideoMeta* meta =
      gst_buffer_add_video_meta_full(buffer, flags, GST_VIDEO_INFO_FORMAT(&*caps), size.width, size.height,
                                     planes, offsets.data(), strides.data());
  meta->id = id;
}

bool write_crop_meta(GstBuffer* buffer, const GstVideoCropMeta& crop, const Format& format,
                     SideDataWriter& side_data) {
  const VideoFormat* video = format.video();
  if (video != nullptr && crop_of(buffer, *video) != nullptr) return true;
  if (!lies_in(crop.x, crop.y, crop.width, crop.height, picture_size(buffer, format))) return false;
  Packer bytes;
  bytes.number(crop.x).number(crop.y).number(crop.width).number(crop.height);
  return side_data.add_bytes(kCropMeta, bytes.packed());
}

void attach_crop_meta(GstBuffer* buffer, std::span<const std::byte> entry, const Format& format) {
  Unpacker from(entry);
  const auto x = from.number<guint>();
  const auto y = from.number<guint>();
  const auto width = from.number<guint>();
  const auto height = from.number<guint>();
  if (!from.done() || !lies_in(x, y, width, height, picture_size(buffer, format))) return;
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer);
  crop->x = x;
  crop->y = y;
  crop->width = width;
  crop->height = height;
}

bool write_audio_meta(const GstAudioMeta& meta, GstBuffer* buffer, SideDataWriter& side_data) {
  const auto channels = static_cast<guint>(GST_AUDIO_INFO_CHANNELS(&meta.info));
  const gsize bytes_per_frame = static_cast<gsize>(GST_AUDIO_INFO_BPF(&meta.info));
  if (meta.offsets == nullptr && meta.samples * bytes_per_frame == gst_buffer_get_size(buffer)) return true;
  Packer bytes;
  bytes.number(static_cast<std::uint64_t>(meta.samples));
  bytes.number(meta.offsets == nullptr ? 0u : channels);
  for (guint channel = 0; meta.offsets != nullptr && channel < channels; ++channel)
    bytes.number(static_cast<std::uint64_t>(meta.offsets[channel]));
  return side_data.add_bytes(kAudioMeta, bytes.packed());
}

void attach_audio_meta(GstBuffer* buffer, std::span<const std::byte> entry, const Format& format) {
  Unpacker from(entry);
  const auto samples = static_cast<gsize>(from.number<std::uint64_t>());
  const auto channels = from.number<guint>();
  if (!from.good() || channels > kMostChannels) return;
  std::vector<gsize> offsets;
  for (guint channel = 0; channel < channels; ++channel) offsets.push_back(from.number<std::uint64_t>());
  const Ptr<GstCaps> caps(gst_caps_from_string(format.caps().c_str()));
  GstAudioInfo info{};
  if (!from.done() || !caps || gst_audio_info_from_caps(&info, caps.get()) == FALSE) return;

  const gsize size = gst_buffer_get_size(buffer);
  const bool planar = GST_AUDIO_INFO_LAYOUT(&info) == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  const auto frame_bytes = static_cast<gsize>(GST_AUDIO_INFO_BPF(&info));
  if (frame_bytes == 0 || samples > size / frame_bytes) return;
  const gsize plane_bytes = samples * frame_bytes / static_cast<gsize>(GST_AUDIO_INFO_CHANNELS(&info));
  if (channels != (planar ? static_cast<guint>(GST_AUDIO_INFO_CHANNELS(&info)) : 0u) ||
      (planar && !planes_are_apart(offsets, plane_bytes, size)))
    return;
  gst_buffer_add_audio_meta(buffer, &info, samples, planar ? offsets.data() : nullptr);
}

}  // namespace reel::gst
