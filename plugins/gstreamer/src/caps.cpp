#include <array>
#include <span>
#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>

namespace reel::gst {

namespace {

std::vector<std::byte> bytes_of(GstBuffer* buffer) {
  std::vector<std::byte> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

GstBuffer* buffer_of(std::span<const std::byte> bytes) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  return buffer;
}

// The first of the headers that some formats carry in their caps (Opus: OpusHead, RFC 7845 section 5.1).
GstBuffer* first_stream_header(const GstStructure* structure) {
  const GValue* headers = gst_structure_get_value(structure, "streamheader");
  if (headers == nullptr || !GST_VALUE_HOLDS_ARRAY(headers) || gst_value_array_get_size(headers) == 0)
    return nullptr;
  const GValue* first = gst_value_array_get_value(headers, 0);
  return GST_VALUE_HOLDS_BUFFER(first) ? gst_value_get_buffer(first) : nullptr;
}

std::vector<std::byte> codec_data_of(const GstStructure* structure) {
  const GValue* value = gst_structure_get_value(structure, "codec_data");
  if (value != nullptr && GST_VALUE_HOLDS_BUFFER(value)) return bytes_of(gst_value_get_buffer(value));
  GstBuffer* header = first_stream_header(structure);
  return header != nullptr && gst_structure_has_name(structure, "audio/x-opus") ? bytes_of(header)
                                                                                : std::vector<std::byte>{};
}

// Opus decoders want both headers; the comment may be empty (RFC 7845 section 5.2: magic, vendor length,
// vendor, count).
void set_opus_headers(GstStructure* structure, std::span<const std::byte> head) {
  static constexpr std::array<unsigned char, 16> kTags{'O', 'p', 'u', 's', 'T', 'a', 'g', 's',
                                                       0,   0,   0,   0,   0,   0,   0,   0};
  GValue headers = G_VALUE_INIT;
  g_value_init(&headers, GST_TYPE_ARRAY);
  for (const std::span<const std::byte> bytes :
       {head, std::span<const std::byte>(std::as_bytes(std::span(kTags)))}) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    gst_value_take_buffer(&value, buffer_of(bytes));
    gst_value_array_append_and_take_value(&headers, &value);
  }
  gst_structure_take_value(structure, "streamheader", &headers);
}

}  // namespace

Format format_from_caps(const GstCaps* caps) {
  if (gst_caps_is_fixed(caps) == FALSE)
    throw Error(ErrorCode::bad_argument, "caps that are not fixed name no format: \"" +
                                             std::string(Text(gst_caps_to_string(caps)).get()) + "\"");
  const Ptr<GstCaps> plain(gst_caps_copy(caps));
  GstStructure* structure = gst_caps_get_structure(plain.get(), 0);
  std::vector<std::byte> codec_data = codec_data_of(structure);
  gst_structure_remove_fields(structure, "codec_data", "streamheader", nullptr);
  const std::string text = Text(gst_caps_to_string(plain.get())).get();

  Format format = Format::from_caps(text);
  if (const EncodedFormat* encoded = format.encoded()) {
    EncodedFormat with_data = *encoded;
    with_data.codec_data = std::move(codec_data);
    format = Format(std::move(with_data));
  }
  return Format(std::move(format), text);
}

Ptr<GstCaps> caps_from_format(const Format& format) {
  const std::string text = format.caps();
  Ptr<GstCaps> caps(gst_caps_from_string(text.c_str()));
  if (!caps || gst_caps_get_size(caps.get()) != 1)
    throw Error(ErrorCode::bad_argument, "GStreamer cannot read these caps: \"" + text + "\"");
  const EncodedFormat* encoded = format.encoded();
  if (encoded == nullptr || encoded->codec_data.empty()) return caps;
  GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  if (encoded->codec == Codec::opus) {
    set_opus_headers(structure, encoded->codec_data);
  } else {
    const Ptr<GstBuffer> data(buffer_of(encoded->codec_data));
    gst_structure_set(structure, "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  }
  return caps;
}

}  // namespace reel::gst
