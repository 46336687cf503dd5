#include "coding.hpp"

#include "encoder_text.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/element.hpp>

namespace record {

namespace {

using reel::Error;
using reel::ErrorCode;

struct CodecEncoders {
  std::string_view codec;
  bool video;
  bool in_mp4;
  const char* usual;                    // what an ordinary Debian has: a message asks for it
  std::array<const char*, 4> elements;  // the best first
};
constexpr std::array kEncoders{
    CodecEncoders{"h264", true, true, "x264enc", {"vah264enc", "vaapih264enc", "v4l2h264enc", "x264enc"}},
    CodecEncoders{"h265", true, true, "x265enc", {"x265enc"}},
    CodecEncoders{"mjpeg", true, false, "jpegenc", {"jpegenc"}},
    CodecEncoders{"ffv1", true, false, "avenc_ffv1", {"avenc_ffv1"}},
    CodecEncoders{"raw", true, false, "identity", {"identity"}},
    CodecEncoders{"aac", false, true, "avenc_aac", {"avenc_aac", "fdkaacenc", "voaacenc"}},
    CodecEncoders{"opus", false, true, "opusenc", {"opusenc"}},
    CodecEncoders{"flac", false, false, "flacenc", {"flacenc"}},
    CodecEncoders{"pcm", false, false, "identity", {"identity"}}};

std::string names_of(bool video, Container container) {
  std::string names;
  for (const CodecEncoders& entry : kEncoders) {
    if (entry.video != video || (container == Container::mp4 && !entry.in_mp4)) continue;
    names += (names.empty() ? "" : ", ") + std::string(entry.codec);
  }
  return names;
}

void check_container(std::string_view codec, bool video, Container container, const std::string& where) {
  if (can_hold(container, codec)) return;
  throw Error(ErrorCode::bad_config,
              fmt::format("MP4 files cannot hold {} as recorded here: say container: matroska, or one of {}",
                          codec, names_of(video, container)),
              where);
}

const CodecEncoders& encoders_of(std::string_view codec, bool video, Container container,
                                 const std::string& where) {
  const auto* const found = std::find_if(kEncoders.begin(), kEncoders.end(), [&](const CodecEncoders& entry) {
    return entry.codec == codec && entry.video == video;
  });
  if (found == kEncoders.end())
    throw Error(ErrorCode::bad_config,
                fmt::format("{} '{}' is not known: say one of {}", video ? "codec" : "audio_codec", codec,
                            names_of(video, container)),
                where);
  check_container(codec, video, container, where);
  return *found;
}

// An encoder in hardware may be installed where its device is not.
bool works(const char* element) {
  GstElement* made = gst_element_factory_make(element, nullptr);
  if (made == nullptr) return false;
  const reel::gst::Ptr<GstElement> encoder(static_cast<GstElement*>(gst_object_ref_sink(made)));
  const bool opened = gst_element_set_state(encoder.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state(encoder.get(), GST_STATE_NULL);
  return opened;
}

std::string pick(const CodecEncoders& entry, const std::string& where) {
  for (const char* element : entry.elements) {
    if (element == nullptr) break;
    if (works(element)) return element;
  }
  throw Error(
      ErrorCode::unsupported,
      fmt::format(
          "{} cannot be encoded: GStreamer has no element '{}' that works; install the Debian package "
          "{}, or record with another codec",
          entry.codec, entry.usual, reel::gst::package_for_element(entry.usual)),
      where);
}

void check_pixels(const std::string& codec, const reel::VideoFormat& format, const std::string& where) {
  const bool held = codec == "ffv1"  ? !ffv1_pixels(format.pixel).empty()
                    : codec == "raw" ? !raw_pixels(format.pixel).empty()
                                     : true;
  if (!held)
    throw Error(ErrorCode::bad_config,
                fmt::format("codec '{}' cannot hold {} without loss: say codec: ffv1", codec,
                            reel::to_string(format.pixel)),
                where);
}

struct Parser {
  std::string_view media_type;
  const char* element;
  const char* text;
};
constexpr std::array kParsers{
    Parser{"video/x-h264", "h264parse",
           "h264parse ! capsfilter caps=video/x-h264,stream-format=avc,alignment=au"},
    Parser{"video/x-h265", "h265parse",
           "h265parse ! capsfilter caps=video/x-h265,stream-format=hvc1,alignment=au"},
    Parser{"audio/mpeg", "aacparse", "aacparse ! capsfilter caps=audio/mpeg,mpegversion=4,stream-format=raw"},
    Parser{"audio/x-flac", "flacparse", "flacparse"}, Parser{"image/jpeg", "jpegparse", "jpegparse"}};

// H.264 and H.265 may be published in pieces (alignment=nal), of which a parser makes pictures.
bool has_whole_pictures(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const char* alignment = gst_structure_get_string(structure, "alignment");
  if (alignment != nullptr) return std::string_view(alignment) == "au";
  const std::string_view name = gst_structure_get_name(structure);
  const char* stream_format = gst_structure_get_string(structure, "stream-format");
  return (name != "video/x-h264" && name != "video/x-h265") ||
         (stream_format != nullptr && std::string_view(stream_format) != "byte-stream");
}

Coding pass_through(const reel::Format& format, Container container, const std::string& where) {
  const reel::gst::Ptr<GstCaps> caps = reel::gst::caps_from_format(format);
  Coding coding;
  coding.codec = codec_of(caps.get());
  coding.video = is_video(caps.get());
  coding.passthrough = true;
  coding.one_each = coding.video && has_whole_pictures(caps.get());
  coding.launch = "identity";
  if (coding.codec.empty() || coding.codec == "raw" || coding.codec == "pcm")
    throw Error(ErrorCode::bad_config,
                fmt::format("\"{}\" is neither picture nor sound that can be recorded: leave the stream out",
                            format.caps()),
                where);
  check_container(coding.codec, coding.video, container, where);
  const std::string_view media_type = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  for (const Parser& parser : kParsers) {
    if (parser.media_type != media_type) continue;
    static_cast<void>(reel::gst::new_element(parser.element));
    coding.element = parser.element;
    coding.launch = parser.text;
  }
  return coding;
}

void check_range(const char* option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    throw Error(ErrorCode::bad_config,
                fmt::format("{} is {}: it must be {} to {}", option, value, least, most));
}

}  // namespace

bool can_hold(Container container, std::string_view codec) noexcept {
  const auto* const found = std::find_if(kEncoders.begin(), kEncoders.end(),
                                         [&](const CodecEncoders& entry) { return entry.codec == codec; });
  return container == Container::matroska || (found != kEncoders.end() && found->in_mp4);
}

Coding choose_coding(const reel::Format& format, const CodingWish& wish, Container container,
                     const std::string& where) {
  const reel::VideoFormat* video = format.video();
  const reel::AudioFormat* audio = format.audio();
  if (video == nullptr && audio == nullptr) return pass_through(format, container, where);
  Coding coding;
  coding.video = coding.one_each = video != nullptr;
  coding.codec = coding.video ? wish.codec : wish.audio_codec;
  coding.key_interval_ns = coding.video ? wish.key_interval_ns : 0;
  coding.element = pick(encoders_of(coding.codec, coding.video, container, where), where);
  if (video != nullptr) check_pixels(coding.codec, *video, where);
  coding.launch =
      coding.video ? video_text(coding.element, *video, wish) : audio_text(coding.element, *audio, wish);
  return coding;
}

void check_wish(const CodingWish& wish, Container container) {
  static_cast<void>(pick(encoders_of(wish.codec, true, container, {}), {}));
  static_cast<void>(pick(encoders_of(wish.audio_codec, false, container, {}), {}));
  check_range("quality", wish.quality, 1, 100);
  check_range("bitrate", wish.bitrate, 0, 1'000'000'000);
  check_range("audio_bitrate", wish.audio_bitrate, 8'000, 1'000'000);
  check_range("threads", wish.threads, 0, 256);
  check_range("key_interval (ns)", wish.key_interval_ns, 1'000'000, 3'600'000'000'000);
}

}  // namespace record
