#include "play/decoder.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>

namespace record {
namespace {

using reel::gst::Ptr;

constexpr std::size_t kMostDecoded = 8;  // that wait to be pulled
// Media time begins with the first frame that came: what another stream has from before it lies before 0,
// which GStreamer's times cannot. So decoders are given later ones.
constexpr std::int64_t kLater_ns = 3'600'000'000'000;

struct Known {
  std::string_view caps;
  const char* element;
};
// In software: the same pictures on every machine. Anything else is left to decodebin's choice.
constexpr std::array kDecoders{Known{"video/x-h264", "avdec_h264"}, Known{"video/x-h265", "avdec_h265"},
                               Known{"image/jpeg", "jpegdec"},      Known{"video/x-ffv", "avdec_ffv1"},
                               Known{"audio/mpeg", "avdec_aac"},    Known{"audio/x-opus", "opusdec"},
                               Known{"audio/x-flac", "flacdec"},    Known{"video/x-raw", "identity"},
                               Known{"audio/x-raw", "identity"}};

const char* decoder_for(const GstCaps* caps) {
  const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  const auto* const found =
      std::find_if(kDecoders.begin(), kDecoders.end(), [&](const Known& one) { return one.caps == name; });
  return found == kDecoders.end() ? "decodebin" : found->element;
}

bool is_video(const GstCaps* caps) {
  const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return name.starts_with("video/") || name.starts_with("image/");
}

// Samples and pixels are moved, never mixed with noise. Colours are kept as they are where both sides count
// them alike, so that the way from NV12 to I420 and back loses nothing.
void set_up_converter(GstElement* converter, bool video, const std::optional<reel::Format>& wanted) {
  gst_util_set_object_arg(G_OBJECT(converter), video ? "dither" : "dithering", "none");
  if (!video) return;
  const bool of_light = wanted && wanted->video() != nullptr &&
                        GST_VIDEO_FORMAT_INFO_IS_RGB(gst_video_format_get_info(gst_video_format_from_string(
                            std::string(to_string(wanted->video()->pixel)).c_str())));
  gst_util_set_object_arg(G_OBJECT(converter), "gamma-mode", "none");
  gst_util_set_object_arg(G_OBJECT(converter), "primaries-mode", "none");
  if (!of_light) gst_util_set_object_arg(G_OBJECT(converter), "matrix-mode", "none");
}

Ptr<GstCaps> wanted_caps(const std::optional<reel::Format>& wanted, bool video) {
  if (wanted && wanted->video() != nullptr)
    return Ptr<GstCaps>(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
                                            std::string(to_string(wanted->video()->pixel)).c_str(), nullptr));
  if (wanted && wanted->audio() != nullptr)
    return Ptr<GstCaps>(gst_caps_new_simple(
        "audio/x-raw", "format", G_TYPE_STRING, std::string(to_string(wanted->audio()->sample)).c_str(),
        "rate", G_TYPE_INT, static_cast<int>(wanted->audio()->rate_hz), "channels", G_TYPE_INT,
        static_cast<int>(wanted->audio()->channels), "layout", G_TYPE_STRING, "interleaved", nullptr));
  if (!video)
    return Ptr<GstCaps>(gst_caps_from_string(
        "audio/x-raw, format=(string){ S16LE, S32LE, F32LE }, layout=(string)interleaved"));
  GstCaps* const caps = gst_caps_new_empty();
  for (const reel::PixelFormat pixel : reel::all_pixel_formats())
    gst_caps_append(caps, gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
                                              std::string(to_string(pixel)).c_str(), nullptr));
  return Ptr<GstCaps>(caps);
}

// The demuxer leaves out that FLAC comes frame by frame, without which no decoder takes it.
Ptr<GstCaps> caps_for_decoder(const GstCaps* caps) {
  Ptr<GstCaps> copy(gst_caps_copy(caps));
  GstStructure* const fields = gst_caps_get_structure(copy.get(), 0);
  if (gst_structure_has_name(fields, "audio/x-flac") != FALSE)
    gst_structure_set(fields, "framed", G_TYPE_BOOLEAN, TRUE, nullptr);
  return copy;
}

std::string text_of(GstPad* pad, bool video) {
  const Ptr<GstCaps> caps(gst_pad_get_current_caps(pad));
  if (!caps) return {};
  const GstStructure* const fields = gst_caps_get_structure(caps.get(), 0);
  const char* const format = gst_structure_get_string(fields, "format");
  std::string text = format == nullptr ? "" : format;
  int rate = 0;
  if (!video && gst_structure_get_int(fields, "rate", &rate) != FALSE) text += " " + std::to_string(rate);
  return text;
}

}  // namespace

Decoder::Decoder(const GstCaps* caps, const std::optional<reel::Format>& wanted)
    : caps_(gst_caps_copy(caps)), run_({}) {
  const bool video = is_video(caps);
  source_ = run_.add("appsrc");
  GstElement* const decoder = run_.add(decoder_for(caps));
  converter_ = run_.add(video ? "videoconvert" : "audioconvert");
  set_up_converter(converter_, video, wanted);
  GstElement* const last = video ? converter_ : run_.add("audioresample");
  if (!video) run_.link(converter_, last);
  sink_ = run_.add("appsink");
  const Ptr<GstCaps> caps_in = caps_for_decoder(caps);
  g_object_set(source_, "format", GST_FORMAT_TIME, "max-bytes", guint64{0}, "caps", caps_in.get(), nullptr);
  const Ptr<GstCaps> caps_out = wanted_caps(wanted, video);
  g_object_set(sink_, "sync", FALSE, "async", FALSE, "max-buffers", guint{kMostDecoded}, "caps",
               caps_out.get(), nullptr);
  run_.link(source_, decoder);
  run_.link(last, sink_);
  if (gst_element_link(decoder, converter_) == FALSE)
    g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer to) {
                       const Ptr<GstPad> input(gst_element_get_static_pad(GST_ELEMENT(to), "sink"));
                       if (gst_pad_is_linked(input.get()) == FALSE) gst_pad_link(pad, input.get());
                     }),
                     converter_);
  run_.play();
}

void Decoder::push(const std::shared_ptr<GstBuffer>& bytes, std::int64_t time_ns) {
  GstBuffer* const buffer = gst_buffer_copy(bytes.get());
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(std::max<std::int64_t>(0, time_ns + kLater_ns));
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  if (gst_app_src_push_buffer(GST_APP_SRC(source_), buffer) == GST_FLOW_OK) ++inside_;
}

void Decoder::finish() {
  gst_app_src_end_of_stream(GST_APP_SRC(source_));
}

Ptr<GstSample> Decoder::pull(std::int64_t wait_ns) {
  Ptr<GstSample> sample(
      gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), static_cast<GstClockTime>(wait_ns)));
  if (sample) {
    if (inside_ > 0) --inside_;
    return sample;
  }
  if (const std::string error = run_.failure(); !error.empty())
    throw reel::Error(reel::ErrorCode::protocol, "what is recorded cannot be decoded: " + error);
  return sample;
}

std::int64_t Decoder::time_of(GstSample* sample) noexcept {
  const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
  return GST_CLOCK_TIME_IS_VALID(pts) ? static_cast<std::int64_t>(pts) - kLater_ns : reel::kNoTime;
}

bool Decoder::over() const {
  return gst_app_sink_is_eos(GST_APP_SINK(sink_)) != FALSE;
}

std::string Decoder::conversion() const {
  const bool video = is_video(caps_.get());
  const Ptr<GstPad> input(gst_element_get_static_pad(converter_, "sink"));
  const Ptr<GstPad> output(gst_element_get_static_pad(sink_, "sink"));
  const std::string from = text_of(input.get(), video);
  const std::string to = text_of(output.get(), video);
  return from == to ? std::string() : from + " to " + to;
}

}  // namespace record
