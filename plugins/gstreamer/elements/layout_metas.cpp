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
