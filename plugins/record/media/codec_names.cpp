#include "coding.hpp"

#include <algorithm>
#include <array>

#include <reel/base/error.hpp>

namespace record {

namespace {

struct MediaType {
  std::string_view media_type;
  std::string_view codec;
  bool video;
};
constexpr std::array kMediaTypes{
    MediaType{"video/x-h264", "h264", true},   MediaType{"video/x-h265", "h265", true},
    MediaType{"image/jpeg", "mjpeg", true},    MediaType{"video/x-ffv", "ffv1", true},
    MediaType{"video/x-raw", "raw", true},     MediaType{"video/x-vp8", "vp8", true},
    MediaType{"video/x-vp9", "vp9", true},     MediaType{"audio/mpeg", "aac", false},
    MediaType{"audio/x-opus", "opus", false},  MediaType{"audio/x-flac", "flac", false},
    MediaType{"audio/x-raw", "pcm", false},    MediaType{"audio/x-alaw", "alaw", false},
    MediaType{"audio/x-mulaw", "mulaw", false}};

const MediaType* media_type_of(const GstCaps* caps) {
  if (caps == nullptr || gst_caps_get_size(caps) == 0) return nullptr;
  const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  const auto* const found = std::find_if(kMediaTypes.begin(), kMediaTypes.end(),
                                         [&](const MediaType& type) { return type.media_type == name; });
  return found == kMediaTypes.end() ? nullptr : found;
}

}  // namespace

std::string_view to_string(Container container) noexcept {
  return container == Container::matroska ? "matroska" : "mp4";
}

Container container_from(std::string_view name) {
  if (name == "matroska") return Container::matroska;
  if (name == "mp4") return Container::mp4;
  throw reel::Error(reel::ErrorCode::bad_config,
                    "container '" + std::string(name) + "' is not known: say matroska or mp4");
}

std::string_view extension_of(Container container) noexcept {
  return container == Container::matroska ? "mkv" : "mp4";
}

std::string codec_of(const GstCaps* caps) {
  const MediaType* type = media_type_of(caps);
  return type == nullptr ? std::string() : std::string(type->codec);
}

bool is_video(const GstCaps* caps) {
  const MediaType* type = media_type_of(caps);
  return type != nullptr && type->video;
}

}  // namespace record
