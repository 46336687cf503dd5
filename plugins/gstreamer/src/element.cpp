#include <algorithm>
#include <array>
#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/element.hpp>

namespace reel::gst {

namespace {

constexpr std::string_view kBase = "gstreamer1.0-plugins-base";
constexpr std::string_view kGood = "gstreamer1.0-plugins-good";
constexpr std::string_view kBad = "gstreamer1.0-plugins-bad";
constexpr std::string_view kLibav = "gstreamer1.0-libav";

struct MediaPackage {
  std::string_view media_type;
  std::string_view package;
};
// Everything that is not here is most likely among the hundreds of decoders of ffmpeg.
constexpr std::array<MediaPackage, 22> kPackages{
    {{"application/ogg", kBase},   {"audio/ogg", kBase},        {"audio/x-opus", kBase},
     {"audio/x-vorbis", kBase},    {"video/ogg", kBase},        {"video/x-theora", kBase},
     {"application/x-3gp", kGood}, {"audio/x-flac", kGood},     {"audio/x-m4a", kGood},
     {"audio/x-matroska", kGood},  {"audio/x-wav", kGood},      {"image/jpeg", kGood},
     {"image/png", kGood},         {"video/quicktime", kGood},  {"video/webm", kGood},
     {"video/x-flv", kGood},       {"video/x-matroska", kGood}, {"video/x-msvideo", kGood},
     {"video/x-vp8", kGood},       {"video/x-vp9", kGood},      {"video/mpegts", kBad},
     {"video/x-av1", kBad}}};

constexpr std::string_view kCore = "libgstreamer1.0-0";
struct ElementPackage {
  std::string_view element;
  std::string_view package;
};
// Those that are in none of kBase.
constexpr std::array<ElementPackage, 32> kElements{{{"queue", kCore},
                                                    {"capsfilter", kCore},
                                                    {"identity", kCore},
                                                    {"tee", kCore},
                                                    {"aacparse", kGood},
                                                    {"flacenc", kGood},
                                                    {"flacparse", kGood},
                                                    {"jpegdec", kGood},
                                                    {"jpegenc", kGood},
                                                    {"matroskademux", kGood},
                                                    {"matroskamux", kGood},
                                                    {"mp4mux", kGood},
                                                    {"pulsesrc", kGood},
                                                    {"qtdemux", kGood},
                                                    {"rtspsrc", kGood},
                                                    {"souphttpsrc", kGood},
                                                    {"v4l2src", kGood},
                                                    {"ximagesrc", kGood},
                                                    {"fdkaacenc", kBad},
                                                    {"h264parse", kBad},
                                                    {"h265parse", kBad},
                                                    {"jpegparse", kBad},
                                                    {"openh264enc", kBad},
                                                    {"opusparse", kBad},
                                                    {"vah264enc", kBad},
                                                    {"vah265enc", kBad},
                                                    {"voaacenc", kBad},
                                                    {"x265enc", kBad},
                                                    {"avenc_aac", kLibav},
                                                    {"avenc_ffv1", kLibav},
                                                    {"x264enc", "gstreamer1.0-plugins-ugly"},
                                                    {"alsasrc", "gstreamer1.0-alsa"}}};

}  // namespace

std::string_view package_for_element(std::string_view factory) noexcept {
  const auto* const found =
      std::find_if(kElements.begin(), kElements.end(),
                   [&](const ElementPackage& entry) { return entry.element == factory; });
  return found == kElements.end() ? kBase : found->package;
}

Ptr<GstElement> new_element(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr)
    throw Error(ErrorCode::unsupported, "GStreamer has no element '" + std::string(factory) +
                                            "': install the Debian package " +
                                            std::string(package_for_element(factory)));
  return Ptr<GstElement>(static_cast<GstElement*>(gst_object_ref_sink(element)));
}

std::string_view package_for_media(std::string_view media_type) noexcept {
  const auto found = std::find_if(kPackages.begin(), kPackages.end(),
                                  [&](const MediaPackage& entry) { return entry.media_type == media_type; });
  return found == kPackages.end() ? kLibav : found->package;
}

}  // namespace reel::gst
