// Side data from a peer becoming metas of a buffer: nothing is attached that reaches beyond the buffer, and
// what came of it can be sent again. The first byte says of which format the stream is; mutated entries
// follow.
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/video_layout.hpp>

#include "event_text.hpp"
#include "fuzz.hpp"
#include "side_data.hpp"
#include "tag_text.hpp"

namespace {

using namespace reel;
using fuzz::require;

constexpr gsize kPayload = 4096;

const Format& format_of(std::uint8_t choice) {
  static const std::array<Format, 4> formats{
      Format(VideoFormat{PixelFormat::NV12, 32, 16, {}}),
      Format::from_caps("video/x-raw, format=(string)Y42B, width=(int)32, height=(int)16, "
                        "framerate=(fraction)0/1"),
      Format::from_caps("audio/x-raw, format=(string)F32LE, layout=(string)non-interleaved, rate=(int)48000, "
                        "channels=(int)2, channel-mask=(bitmask)0x3"),
      Format::from_caps("audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)48000, "
                        "channels=(int)2")};
  return formats.at(choice % formats.size());
}

// Every sample that a consumer may read by the metas lies in the buffer.
void check_metas(GstBuffer* buffer, const Format& format) {
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(buffer, &state)) {
    if (meta->info->api == GST_VIDEO_META_API_TYPE && format.video() == nullptr) {
      const auto* video = reinterpret_cast<GstVideoMeta*>(meta);
      require(video->n_planes == 3 && video->width >= 32 && video->height >= 16, "a picture of the caps");
      for (guint plane = 0; plane < 3; ++plane) {
        const guint columns = plane == 0 ? video->width : (video->width + 1) / 2;
        require(video->stride[plane] >= static_cast<gint>(columns), "a stride holds a row");
        require(video->offset[plane] + gsize{video->height - 1} * static_cast<gsize>(video->stride[plane]) +
                        columns <=
                    kPayload,
                "a plane lies inside");
      }
    } else if (meta->info->api == GST_VIDEO_CROP_META_API_TYPE) {
      const auto* crop = reinterpret_cast<GstVideoCropMeta*>(meta);
      require(crop->x <= 32768 && crop->y <= 32768 && crop->width <= 32768 && crop->height <= 32768,
              "a crop is bounded");
    } else if (meta->info->api == GST_AUDIO_META_API_TYPE) {
      const auto* audio = reinterpret_cast<GstAudioMeta*>(meta);
      require(audio->samples * 4 <= kPayload, "samples lie inside");
      for (gint channel = 0; audio->offsets != nullptr && channel < 2; ++channel)
        require(audio->offsets[channel] + audio->samples * 4 <= kPayload, "a channel lies inside");
    }
  }
}

// GStreamer says so when it is asked for what must not be: a peer must not bring us to that.
void no_criticals(const gchar* /*domain*/, GLogLevelFlags level, const gchar* message, gpointer /*data*/) {
  require((level & G_LOG_LEVEL_CRITICAL) == 0, message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = [] {
    gst_init(nullptr, nullptr);
    gst_debug_set_active(FALSE);
    g_log_set_default_handler(no_criticals, nullptr);
    return true;
  }();
  if (!ready || size == 0) return 0;
  const Format& format = format_of(data[0]);
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, kPayload, nullptr));
  if (const VideoFormat* video = format.video(); video != nullptr && data[0] >= 0x80)
    gst::attach_layout(buffer.get(), *video, default_layout(*video));
  std::vector<std::uint64_t> copy(size / 8 + 1);  // aligned, as a slot's is
  std::memcpy(copy.data(), data + 1, size - 1);
  const auto bytes = std::as_bytes(std::span(copy)).first(size - 1);
  gst::attach_side_data(buffer.get(), format, kNoTime, SideDataView(bytes));
  check_metas(buffer.get(), format);

  std::vector<std::uint64_t> place(size + 1024);
  SideDataWriter writer(std::as_writable_bytes(std::span(place)));
  gst::LostMetas lost;
  gst::collect_side_data(buffer.get(), format, writer, lost);

  if (GstEvent* event = gst::event_from(bytes)) gst_event_unref(event);
  for (GstEvent* event : gst::tag_events({reinterpret_cast<const char*>(bytes.data()), bytes.size()}))
    gst_event_unref(event);
  return 0;
}
