#include <reel/format/format.hpp>

#include <fmt/format.h>

namespace reel {
namespace {

std::string caps_of(const VideoFormat& video) {
  return fmt::format(
      "video/x-raw, format=(string){}, width=(int){}, height=(int){}, framerate=(fraction){}/{}",
      to_string(video.pixel), video.width, video.height, video.fps.numerator, video.fps.denominator);
}

std::string caps_of(const AudioFormat& audio) {
  std::string text = fmt::format(
      "audio/x-raw, format=(string){}, layout=(string)interleaved, rate=(int){}, channels=(int){}",
      to_string(audio.sample), audio.rate_hz, audio.channels);
  // GStreamer wants a mask with more than two channels; an empty one says that they have no positions.
  if (audio.channels > 2) text += ", channel-mask=(bitmask)0x0000000000000000";
  return text;
}

// What GStreamer's parsers write for one access unit a frame, with and without codec data.
std::string_view encoded_type(Codec codec, bool has_codec_data) {
  switch (codec) {
    case Codec::h264:
      return has_codec_data ? "video/x-h264, stream-format=(string)avc, alignment=(string)au"
                            : "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au";
    case Codec::h265:
      return has_codec_data ? "video/x-h265, stream-format=(string)hvc1, alignment=(string)au"
                            : "video/x-h265, stream-format=(string)byte-stream, alignment=(string)au";
    case Codec::jpeg: return "image/jpeg";
    case Codec::opus: return "audio/x-opus, channel-mapping-family=(int)0";
    case Codec::aac:
      return has_codec_data
                 ? "audio/mpeg, mpegversion=(int)4, framed=(boolean)true, stream-format=(string)raw"
                 : "audio/mpeg, mpegversion=(int)4, framed=(boolean)true, stream-format=(string)adts";
  }
  return "application/octet-stream";
}

std::string caps_of(const EncodedFormat& encoded) {
  std::string text{encoded_type(encoded.codec, !encoded.codec_data.empty())};
  if (encoded.width) text += fmt::format(", width=(int){}", encoded.width);
  if (encoded.height) text += fmt::format(", height=(int){}", encoded.height);
  if (encoded.fps.numerator)
    text += fmt::format(", framerate=(fraction){}/{}", encoded.fps.numerator, encoded.fps.denominator);
  if (encoded.rate_hz) text += fmt::format(", rate=(int){}", encoded.rate_hz);
  if (encoded.channels) text += fmt::format(", channels=(int){}", encoded.channels);
  return text;
}

std::string caps_of(const BytesFormat&) {
  return "application/octet-stream";
}

}  // namespace

std::string_view to_string(Codec codec) noexcept {
  switch (codec) {
    case Codec::h264: return "h264";
    case Codec::h265: return "h265";
    case Codec::jpeg: return "jpeg";
    case Codec::opus: return "opus";
    case Codec::aac: return "aac";
  }
  return "unknown";
}

std::string_view to_string(MediaKind kind) noexcept {
  switch (kind) {
    case MediaKind::video: return "video";
    case MediaKind::audio: return "audio";
    case MediaKind::encoded: return "encoded";
    case MediaKind::bytes: return "bytes";
  }
  return "unknown";
}

std::string Format::caps() const {
  if (!caps_.empty()) return caps_;
  return std::visit([](const auto& media) { return caps_of(media); }, media_);
}

std::span<const std::byte> Format::codec_data() const noexcept {
  if (const auto* encoded = std::get_if<EncodedFormat>(&media_)) return encoded->codec_data;
  if (const auto* bytes = std::get_if<BytesFormat>(&media_)) return bytes->codec_data;
  return {};
}

void Format::set_codec_data(std::vector<std::byte> codec_data) {
  if (auto* encoded = std::get_if<EncodedFormat>(&media_)) encoded->codec_data = std::move(codec_data);
  if (auto* bytes = std::get_if<BytesFormat>(&media_)) bytes->codec_data = std::move(codec_data);
}

std::uint64_t Format::frame_bytes() const {
  return video() ? default_layout(*video()).bytes : 0;
}

}  // namespace reel
