// Format::from_caps(): the meaning of caps text.
#include "caps_text.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>

#include <fmt/format.h>

#include <reel/format/format.hpp>

namespace reel {
namespace {

constexpr std::uint32_t kMaxRateHz = 768000;
constexpr std::uint32_t kMaxChannels = 64;
constexpr std::uint32_t kMaxInt = 0x7FFFFFFF;  // of GStreamer's int

std::optional<std::uint32_t> number_from(std::string_view digits) {
  std::uint32_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Fraction> fraction_from(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto numerator = number_from(text.substr(0, slash));
  const auto denominator = slash == std::string_view::npos ? 1 : number_from(text.substr(slash + 1));
  if (!numerator || !denominator || *denominator == 0) return std::nullopt;
  if (*numerator > kMaxInt || *denominator > kMaxInt) return std::nullopt;
  return Fraction{*numerator, *denominator};
}

std::optional<std::vector<std::byte>> bytes_from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    std::uint8_t value = 0;
    const char* end = digits.data() + i + 2;
    if (std::from_chars(digits.data() + i, end, value, 16).ptr != end) return std::nullopt;
    bytes.push_back(std::byte{value});
  }
  return bytes;
}

// What a media type asks of its fields, with the message when they don't give it. Absent fields are nullopt.
class Fields {
 public:
  Fields(std::string_view text, const caps::Structure& structure) : text_(text), structure_(structure) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
    const caps::Field* field = fixed(name, {"string", "gchararray", "s"}, "a string");
    if (!field) return std::nullopt;
    return field->value;
  }

  [[nodiscard]] std::optional<std::uint32_t> number(std::string_view name, std::uint32_t most) const {
    const std::string wanted = fmt::format("an int from 1 to {}", most);
    const caps::Field* field = fixed(name, {"int", "gint", "i"}, wanted);
    if (!field) return std::nullopt;
    const auto value = number_from(field->value);
    if (!value || *value < 1 || *value > most) reject(*field, wanted);
    return value;
  }

  [[nodiscard]] Fraction fraction(std::string_view name) const {
    const std::string wanted = fmt::format("a fraction of ints, from 0/1 to {}/1", kMaxInt);
    const caps::Field* field = fixed(name, {"fraction", "GstFraction"}, wanted);
    if (!field) return {};
    const auto value = fraction_from(field->value);
    if (!value) reject(*field, wanted);
    return *value;
  }

  [[nodiscard]] std::vector<std::byte> buffer(std::string_view name, std::size_t most) const {
    const caps::Field* field = fixed(name, {"buffer", "GstBuffer"}, "a buffer in hexadecimal");
    if (!field) return {};
    if (field->value.size() > 2 * most) {
      caps::reject(text_, fmt::format("field '{}' holds {} bytes: the limit is {}", name,
                                      field->value.size() / 2, most));
    }
    auto bytes = bytes_from_hex(field->value);
    if (!bytes) reject(*field, "a buffer in hexadecimal, two digits a byte");
    return std::move(*bytes);
  }

  template <typename T>
  [[nodiscard]] T required(std::string_view name, std::optional<T> value) const {
    if (!value) caps::reject(text_, fmt::format("{} needs the field '{}'", structure_.media_type, name));
    return std::move(*value);
  }

 private:
  // nullptr where the field is absent; an untyped value may be of any type.
  const caps::Field* fixed(std::string_view name, std::initializer_list<std::string_view> types,
                           std::string_view wanted) const {
    const caps::Field* field = structure_.find(name);
    if (!field) return nullptr;
    const bool typed_right =
        field->type.empty() || std::find(types.begin(), types.end(), field->type) != types.end();
    if (!field->fixed || !typed_right) reject(*field, wanted);
    return field;
  }

  [[noreturn]] void reject(const caps::Field& field, std::string_view wanted) const {
    const std::string type = field.type.empty() ? "" : fmt::format("({})", caps::shown(field.type));
    caps::reject(text_, fmt::format("field '{}' is {}{}: it must be {}", field.name, type,
                                    caps::shown(field.value), wanted));
  }

  std::string_view text_;
  const caps::Structure& structure_;
};

Format video_from(const Fields& fields) {
  const auto pixel = pixel_format_from(fields.required("format", fields.text("format")));
  // Alternate fields are half a picture each, in another layout.
  if (!pixel || fields.text("interlace-mode") == "alternate") return {};
  return VideoFormat{*pixel, fields.required("width", fields.number("width", kMaxVideoSize)),
                     fields.required("height", fields.number("height", kMaxVideoSize)),
                     fields.fraction("framerate")};
}

Format audio_from(const Fields& fields) {
  const auto sample = sample_format_from(fields.required("format", fields.text("format")));
  if (!sample || fields.text("layout").value_or("interleaved") != "interleaved") return {};
  return AudioFormat{*sample, fields.required("rate", fields.number("rate", kMaxRateHz)),
                     fields.required("channels", fields.number("channels", kMaxChannels))};
}

Format encoded_from(const Fields& fields, Codec codec) {
  // A frame is an access unit: pieces of one are bytes to us.
  if (fields.text("alignment").value_or("au") != "au") return {};
  return EncodedFormat{codec,
                       fields.number("width", kMaxVideoSize).value_or(0),
                       fields.number("height", kMaxVideoSize).value_or(0),
                       fields.fraction("framerate"),
                       fields.number("rate", kMaxRateHz).value_or(0),
                       fields.number("channels", kMaxChannels).value_or(0),
                       fields.buffer("codec_data", kMaxCodecDataBytes)};
}

Format media_from(const Fields& fields, std::string_view type) {
  if (type == "video/x-raw") return video_from(fields);
  if (type == "audio/x-raw") return audio_from(fields);
  if (type == "video/x-h264") return encoded_from(fields, Codec::h264);
  if (type == "video/x-h265") return encoded_from(fields, Codec::h265);
  if (type == "image/jpeg") return encoded_from(fields, Codec::jpeg);
  if (type == "audio/x-opus") return encoded_from(fields, Codec::opus);
  // MPEG version 1 is MP3; 2 and 4 are both AAC.
  if (type == "audio/mpeg" && fields.number("mpegversion", kMaxInt).value_or(1) != 1)
    return encoded_from(fields, Codec::aac);
  return {};
}

}  // namespace

Format Format::from_caps(std::string_view text) {
  constexpr std::size_t kMostRead = kMaxCapsBytes + 2 * kMaxCodecDataBytes + 64;
  if (text.size() > kMostRead)
    caps::reject(
        text, fmt::format("it has {} bytes: the limit is {} without codec data", text.size(), kMaxCapsBytes));
  const caps::Structure structure = caps::parse(text);
  const Format media = media_from(Fields(text, structure), structure.media_type);

  std::string kept{text};
  if (const caps::Field* codec_data = structure.find("codec_data"); codec_data && media.encoded())
    kept.erase(codec_data->begin, codec_data->end - codec_data->begin);
  if (kept.size() > kMaxCapsBytes)
    caps::reject(
        text, fmt::format("it has {} bytes: the limit is {} without codec data", kept.size(), kMaxCapsBytes));
  return kept == media.caps() ? media : Format(media, std::move(kept));
}

}  // namespace reel
