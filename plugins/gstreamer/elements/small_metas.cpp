#include "small_metas.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <gst/audio/audio.h>
#include <gst/video/video.h>
#if GST_CHECK_VERSION(1, 22, 0)
#include <gst/video/video-sei.h>
#endif

#include "packed.hpp"

namespace reel::gst {
namespace {

template <typename Meta>
Meta& as(GstMeta& meta) {
  return *reinterpret_cast<Meta*>(&meta);
}
template <typename Enum>
std::int32_t number_of(Enum value) {
  return static_cast<std::int32_t>(value);
}
template <typename Enum>
Enum enum_from(Unpacker& from) {
  return static_cast<Enum>(from.number<std::int32_t>());
}

// --- sound ---

void write_clipping(GstMeta& meta, Packer& to) {
  const auto& clipping = as<GstAudioClippingMeta>(meta);
  to.number(number_of(clipping.format))
      .number(std::uint64_t{clipping.start})
      .number(std::uint64_t{clipping.end});
}
bool attach_clipping(GstBuffer* buffer, Unpacker& from) {
  const auto format = enum_from<GstFormat>(from);
  const auto start = from.number<std::uint64_t>();
  const auto end = from.number<std::uint64_t>();
  if (!from.done() || (format != GST_FORMAT_DEFAULT && format != GST_FORMAT_TIME)) return false;
  return gst_buffer_add_audio_clipping_meta(buffer, format, start, end) != nullptr;
}

void write_level(GstMeta& meta, Packer& to) {
  const auto& level = as<GstAudioLevelMeta>(meta);
  to.number(level.level).number(static_cast<std::uint8_t>(level.voice_activity != FALSE));
}
bool attach_level(GstBuffer* buffer, Unpacker& from) {
  const auto level = from.number<guint8>();
  const auto voice = from.number<guint8>();
  if (!from.done() || level > 127) return false;
  return gst_buffer_add_audio_level_meta(buffer, level, static_cast<gboolean>(voice != 0)) != nullptr;
}

// --- pictures ---

void write_caption(GstMeta& meta, Packer& to) {
  const auto& caption = as<GstVideoCaptionMeta>(meta);
  to.number(number_of(caption.caption_type)).sized(std::as_bytes(std::span(caption.data, caption.size)));
}
bool attach_caption(GstBuffer* buffer, Unpacker& from) {
  const auto type = enum_from<GstVideoCaptionType>(from);
  const auto data = from.sized();
  if (!from.done() || data.empty() || type < GST_VIDEO_CAPTION_TYPE_CEA608_RAW ||
      type > GST_VIDEO_CAPTION_TYPE_CEA708_CDP)
    return false;
  return gst_buffer_add_video_caption_meta(buffer, type, reinterpret_cast<const guint8*>(data.data()),
                                           data.size()) != nullptr;
}

void write_afd(GstMeta& meta, Packer& to) {
  const auto& afd = as<GstVideoAFDMeta>(meta);
  to.number(afd.field).number(number_of(afd.spec)).number(number_of(afd.afd));
}
bool attach_afd(GstBuffer* buffer, Unpacker& from) {
  const auto field = from.number<guint8>();
  const auto spec = enum_from<GstVideoAFDSpec>(from);
  const auto afd = enum_from<GstVideoAFDValue>(from);
  if (!from.done() || number_of(afd) < 0 || number_of(afd) > 15 || number_of(spec) < 0 ||
      spec > GST_VIDEO_AFD_SPEC_SMPTE_ST2016_1)
    return false;
  return gst_buffer_add_video_afd_meta(buffer, field, spec, afd) != nullptr;
}

void write_bar(GstMeta& meta, Packer& to) {
  const auto& bar = as<GstVideoBarMeta>(meta);
  to.number(bar.field).number(static_cast<std::uint8_t>(bar.is_letterbox != FALSE));
  to.number(bar.bar_data1).number(bar.bar_data2);
}
bool attach_bar(GstBuffer* buffer, Unpacker& from) {
  const auto field = from.number<guint8>();
  const auto letterbox = from.number<guint8>();
  const auto first = from.number<guint>();
  const auto second = from.number<guint>();
  if (!from.done() || field > 2) return false;
  return gst_buffer_add_video_bar_meta(buffer, field, static_cast<gboolean>(letterbox != 0), first, second) !=
         nullptr;
}

void write_time_code(GstMeta& meta, Packer& to) {
  const GstVideoTimeCode& code = as<GstVideoTimeCodeMeta>(meta).tc;
  to.number(code.config.fps_n).number(code.config.fps_d).number(number_of(code.config.flags));
  to.number(code.hours)
      .number(code.minutes)
      .number(code.seconds)
      .number(code.frames)
      .number(code.field_count);
  gchar* jam = code.config.latest_daily_jam != nullptr
                   ? g_date_time_format_iso8601(code.config.latest_daily_jam)
                   : nullptr;
  to.text(jam != nullptr ? jam : "");
  g_free(jam);
}
bool attach_time_code(GstBuffer* buffer, Unpacker& from) {
  GstVideoTimeCode code{};
  code.config.fps_n = from.number<guint>();
  code.config.fps_d = from.number<guint>();
  code.config.flags = enum_from<GstVideoTimeCodeFlags>(from);
  code.hours = from.number<guint>();
  code.minutes = from.number<guint>();
  code.seconds = from.number<guint>();
  code.frames = from.number<guint>();
  code.field_count = from.number<guint>();
  const std::string jam = from.text();
  constexpr guint kMostFps = 1000;
  const bool rate = from.done() && code.config.fps_d != 0 && code.config.fps_n >= code.config.fps_d &&
                    code.config.fps_n / code.config.fps_d <= kMostFps;
  if (!rate || gst_video_time_code_is_valid(&code) == FALSE) return false;
  if (!jam.empty()) code.config.latest_daily_jam = g_date_time_new_from_iso8601(jam.c_str(), nullptr);
  const bool added = gst_buffer_add_video_time_code_meta(buffer, &code) != nullptr;
  if (code.config.latest_daily_jam != nullptr) g_date_time_unref(code.config.latest_daily_jam);
  return added;
}

void write_affine(GstMeta& meta, Packer& to) {
  for (const gfloat value : as<GstVideoAffineTransformationMeta>(meta).matrix) to.number(value);
}
bool attach_affine(GstBuffer* buffer, Unpacker& from) {
  std::array<gfloat, 16> matrix{};
  for (gfloat& value : matrix) value = from.number<gfloat>();
  if (!from.done()) return false;
  GstVideoAffineTransformationMeta* meta = gst_buffer_add_video_affine_transformation_meta(buffer);
  std::copy(matrix.begin(), matrix.end(), meta->matrix);
  return true;
}

#if GST_CHECK_VERSION(1, 22, 0)
void write_user_data(GstMeta& meta, Packer& to) {
  const auto& message = as<GstVideoSEIUserDataUnregisteredMeta>(meta);
  to.bytes(std::as_bytes(std::span(message.uuid)))
      .sized(std::as_bytes(std::span(message.data, message.size)));
}
bool attach_user_data(GstBuffer* buffer, Unpacker& from) {
  std::array<guint8, 16> uuid{};
  const auto id = from.bytes(uuid.size());
  std::copy(id.begin(), id.end(), std::as_writable_bytes(std::span(uuid)).begin());
  const auto data = from.sized();
  if (!from.done() || data.empty()) return false;
  // Neither of them is changed: the parameters are only not const.
  auto* bytes = const_cast<guint8*>(reinterpret_cast<const guint8*>(data.data()));
  return gst_buffer_add_video_sei_user_data_unregistered_meta(buffer, uuid.data(), bytes, data.size()) !=
         nullptr;
}

#endif

struct Kind {
  std::string_view name;  // of the entry
  GType (*api)();
  void (*write)(GstMeta& meta, Packer& to);
  bool (*attach)(GstBuffer* buffer, Unpacker& from);
};

constexpr auto kKinds = std::to_array<Kind>({
  {"gst.audio-clipping", gst_audio_clipping_meta_api_get_type, write_clipping, attach_clipping},
      {"gst.audio-level", gst_audio_level_meta_api_get_type, write_level, attach_level},
      {"gst.video-caption", gst_video_caption_meta_api_get_type, write_caption, attach_caption},
      {"gst.video-afd", gst_video_afd_meta_api_get_type, write_afd, attach_afd},
      {"gst.video-bar", gst_video_bar_meta_api_get_type, write_bar, attach_bar},
      {"gst.time-code", gst_video_time_code_meta_api_get_type, write_time_code, attach_time_code},
      {"gst.affine-transform", gst_video_affine_transformation_meta_api_get_type, write_affine,
       attach_affine},
#if GST_CHECK_VERSION(1, 22, 0)
      {"gst.sei-user-data", gst_video_sei_user_data_unregistered_meta_api_get_type, write_user_data,
       attach_user_data},
#endif
});

const Kind* kind_of(GType api) {
  const auto* found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.api() == api; });
  return found == kKinds.end() ? nullptr : found;
}

}  // namespace

bool is_small_meta(GType api) {
  return kind_of(api) != nullptr;
}

bool write_small_meta(GstMeta& meta, SideDataWriter& side_data) {
  const Kind* kind = kind_of(meta.info->api);
  Packer bytes;
  kind->write(meta, bytes);
  return side_data.add_bytes(kind->name, bytes.packed());
}

bool attach_small_meta(GstBuffer* buffer, std::string_view name, std::span<const std::byte> data) {
  for (const Kind& kind : kKinds) {
    Unpacker from(data);
    if (kind.name == name) return kind.attach(buffer, from);
  }
  return false;
}

}  // namespace reel::gst
