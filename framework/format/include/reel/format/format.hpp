// What the frames of a stream are: raw video, raw audio, an encoded stream or opaque bytes, and GStreamer's
// caps text for it. Pure values; to and from text without GStreamer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <reel/format/audio_format.hpp>
#include <reel/format/video_format.hpp>

namespace reel {

/// The numbers are part of the shared-memory layout.
enum class Codec : std::uint32_t { h264 = 1, h265 = 2, jpeg = 3, opus = 4, aac = 5 };

[[nodiscard]] std::string_view to_string(Codec codec) noexcept;

/// An encoded stream, one access unit a frame. Fields that do not apply (audio of a video codec) are 0.
struct EncodedFormat {
  Codec codec = Codec::h264;
  std::uint32_t width = 0, height = 0;  // pixels
  Fraction fps{};
  std::uint32_t rate_hz = 0, channels = 0;
  /// avcC, hvcC, AudioSpecificConfig, OpusHead: as the container carries it; may be empty.
  std::vector<std::byte> codec_data{};
  bool operator==(const EncodedFormat&) const = default;
};

/// Anything else: only its caps text says what it is.
struct BytesFormat {
  std::vector<std::byte> codec_data{};  // as its container carries it; may be empty
  bool operator==(const BytesFormat&) const = default;
};

/// The numbers are part of the shared-memory layout.
enum class MediaKind : std::uint32_t { video = 1, audio = 2, encoded = 3, bytes = 4 };
[[nodiscard]] std::string_view to_string(MediaKind kind) noexcept;

inline constexpr std::size_t kMaxCapsBytes = 3072;  // of caps text
/// Of codec data and stream headers together, 4 more bytes for each header: those of Vorbis and Theora take
/// 4 to 8 KiB.
inline constexpr std::size_t kMaxCodecDataBytes = 16384;

using StreamHeaders = std::vector<std::vector<std::byte>>;

class Format {
 public:
  Format() = default;                                            // opaque bytes, "application/octet-stream"
  Format(VideoFormat video) : media_(video) {}                   // NOLINT: a video format is a format
  Format(AudioFormat audio) : media_(audio) {}                   // NOLINT
  Format(EncodedFormat encoded) : media_(std::move(encoded)) {}  // NOLINT
  /// The same media with its caps text as another framework wrote it, fields that Reel does not interpret
  /// included.
  Format(Format media, std::string caps) : Format(std::move(media)) { caps_ = std::move(caps); }

  [[nodiscard]] MediaKind kind() const noexcept { return static_cast<MediaKind>(media_.index() + 1); }
  /// nullptr when the format is of another kind.
  [[nodiscard]] const VideoFormat* video() const noexcept { return std::get_if<VideoFormat>(&media_); }
  [[nodiscard]] const AudioFormat* audio() const noexcept { return std::get_if<AudioFormat>(&media_); }
  [[nodiscard]] const EncodedFormat* encoded() const noexcept { return std::get_if<EncodedFormat>(&media_); }

  /// GStreamer caps text, e.g. "video/x-raw, format=(string)NV12, width=(int)1920, height=(int)1080,
  /// framerate=(fraction)30/1". As given, or made from the fields; codec data is not in it.
  [[nodiscard]] std::string caps() const;

  /// Reads caps text as gst_caps_to_string() writes it (one structure, fixed values). Text of a media type
  /// that Reel does not know, of a raw format not in PixelFormat / SampleFormat, or of frames that are not
  /// whole pictures, interleaved samples or access units, becomes opaque bytes with that text. Fields and
  /// caps features that Reel does not interpret stay in the text; codec data of an encoded format is taken
  /// out of it. Text that caps() itself would make leaves equal formats. Throws Error{bad_argument} for text
  /// that is no caps (no media type, a known type without a field that it needs, sizes out of range, above
  /// kMaxCapsBytes), naming the field.
  [[nodiscard]] static Format from_caps(std::string_view caps);

  /// What a decoder must see before the first frame, packet by packet (GStreamer's `streamheader`: Vorbis,
  /// Theora, Opus, FLAC); empty where the format has none.
  [[nodiscard]] const StreamHeaders& stream_headers() const noexcept { return stream_headers_; }
  void set_stream_headers(StreamHeaders headers) { stream_headers_ = std::move(headers); }
  /// Of encoded streams and opaque bytes; empty otherwise.
  [[nodiscard]] std::span<const std::byte> codec_data() const noexcept;
  /// Does nothing to raw video and audio, which have none.
  void set_codec_data(std::vector<std::byte> codec_data);

  /// Bytes of one frame in the default layout; for video only (0 otherwise: such frames vary).
  [[nodiscard]] std::uint64_t frame_bytes() const;

  bool operator==(const Format&) const = default;

 private:
  std::variant<VideoFormat, AudioFormat, EncodedFormat, BytesFormat> media_ = BytesFormat{};
  std::string caps_;
  StreamHeaders stream_headers_;
};

}  // namespace reel
