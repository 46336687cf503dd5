#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>

namespace reel::gst {

namespace {

// Where GStreamer's elements put what a decoder needs before the first frame.
constexpr const char* kCodecData = "codec_data";
constexpr const char* kStreamHeader = "streamheader";

std::vector<std::byte> bytes_of(GstBuffer* buffer) {
  std::vector<std::byte> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

GstBuffer* buffer_of(std::span<const std::byte> bytes, GstBufferFlags flags = {}) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, flags);
  return buffer;
}

// Takes the field out of `structure`; empty, and the field stays in the text, where it is no buffer.
std::vector<std::byte> take_codec_data(GstStructure* structure) {
  const GValue* value = gst_structure_get_value(structure, kCodecData);
  if (value == nullptr || !GST_VALUE_HOLDS_BUFFER(value) || gst_value_get_buffer(value) == nullptr) return {};
  std::vector<std::byte> bytes = bytes_of(gst_value_get_buffer(value));
  gst_structure_remove_field(structure, kCodecData);
  return bytes;
}

StreamHeaders take_stream_headers(GstStructure* structure) {
  const GValue* array = gst_structure_get_value(structure, kStreamHeader);
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array)) return {};
  StreamHeaders headers;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    if (!GST_VALUE_HOLDS_BUFFER(value) || gst_value_get_buffer(value) == nullptr) return {};
    headers.push_back(bytes_of(gst_value_get_buffer(value)));
  }
  gst_structure_remove_field(structure, kStreamHeader);
  return headers;
}

void put_stream_headers(GstStructure* structure, const StreamHeaders& headers) {
  GValue array = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  for (const std::vector<std::byte>& header : headers) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    gst_value_take_buffer(&value, buffer_of(header, GST_BUFFER_FLAG_HEADER));
    gst_value_array_append_and_take_value(&array, &value);
  }
  gst_structure_take_value(structure, kStreamHeader, &array);
}

// Opus decoders want both headers; the comment may be empty (RFC 7845 section 5.2: magic, vendor length,
// vendor, count).
StreamHeaders opus_headers(std::span<const std::byte> head) {
  static constexpr std::array<unsigned char, 16> kTags{'O', 'p', 'u', 's', 'T', 'a', 'g', 's',
                                                       0,   0,   0,   0,   0,   0,   0,   0};
  const auto tags = std::as_bytes(std::span(kTags));
  return {{head.begin(), head.end()}, {tags.begin(), tags.end()}};
}

bool is_opus(const Format& format) {
  return format.encoded() != nullptr && format.encoded()->codec == Codec::opus;
}

// What brings it into memory that the processor can map, and from there into a slot.
const char* downloader_of(std::string_view memory) {
  struct Way {
    std::string_view memory;
    const char* element;
  };
  static constexpr std::array kWays{
      Way{"memory:GLMemory", "gldownload"},
      Way{"memory:CUDAMemory", "cudadownload"},
      Way{"memory:NVMM", "nvvideoconvert (on Jetson nvvidconv)"},
      Way{"memory:VAMemory", "vapostproc"},
      Way{"memory:VASurface", "vaapipostproc"},
      Way{"memory:VulkanImage", "vulkandownload"},
      Way{"memory:DMABuf", "what maps it (v4l2src io-mode=mmap, or vapostproc)"}};
  for (const Way& way : kWays)
    if (way.memory == memory) return way.element;
  return "the element that downloads them";
}

// Memory features name where a buffer's bytes are; others ("meta:...", "format:Interlaced") what they are.
bool in_other_memory(const gchar* feature) {
  return g_str_has_prefix(feature, "memory:") != FALSE &&
         std::strcmp(feature, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY) != 0;
}

const gchar* other_memory(const GstCapsFeatures* features) {
  if (features == nullptr || gst_caps_features_is_any(features) != FALSE) return nullptr;
  for (guint i = 0; i < gst_caps_features_get_size(features); ++i) {
    if (const gchar* feature = gst_caps_features_get_nth(features, i); in_other_memory(feature))
      return feature;
  }
  return nullptr;
}

}  // namespace

Format format_from_caps(const GstCaps* caps) {
  if (gst_caps_is_fixed(caps) == FALSE)
    throw Error(ErrorCode::bad_argument, "caps that are not fixed name no format: \"" +
                                             std::string(Text(gst_caps_to_string(caps)).get()) + "\"");
  if (const gchar* memory = other_memory(gst_caps_get_features(caps, 0)))
    throw Error(ErrorCode::unsupported, refusal_of(memory));
  const Ptr<GstCaps> plain(gst_caps_copy(caps));
  GstStructure* structure = gst_caps_get_structure(plain.get(), 0);
  std::vector<std::byte> codec_data = take_codec_data(structure);
  StreamHeaders headers = take_stream_headers(structure);
  const std::string text = Text(gst_caps_to_string(plain.get())).get();

  Format format(Format::from_caps(text), text);
  // OpusHead is what containers call the codec data of Opus (RFC 7845 section 5.1).
  if (codec_data.empty() && !headers.empty() && is_opus(format)) codec_data = headers.front();
  format.set_codec_data(std::move(codec_data));
  format.set_stream_headers(std::move(headers));
  return format;
}

Ptr<GstCaps> caps_from_format(const Format& format) {
  const std::string text = format.caps();
  Ptr<GstCaps> caps(gst_caps_from_string(text.c_str()));
  if (!caps || gst_caps_get_size(caps.get()) != 1)
    throw Error(ErrorCode::bad_argument, "GStreamer cannot read these caps: \"" + text + "\"");
  if (const gchar* memory = other_memory(gst_caps_get_features(caps.get(), 0)))
    throw Error(ErrorCode::bad_argument, "caps that name " + std::string(memory) +
                                             " came with frames in shared memory: \"" + text + "\"");
  GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  const auto codec_data = format.codec_data();
  if (!format.stream_headers().empty())
    put_stream_headers(structure, format.stream_headers());
  else if (is_opus(format) && !codec_data.empty())
    put_stream_headers(structure, opus_headers(codec_data));
  if (!is_opus(format) && !codec_data.empty()) {
    const Ptr<GstBuffer> data(buffer_of(codec_data));
    gst_structure_set(structure, kCodecData, GST_TYPE_BUFFER, data.get(), nullptr);
  }
  return caps;
}

std::string refused_memory(const GstCaps* offered) {
  if (gst_caps_is_any(offered) != FALSE) return {};
  std::string refused;
  for (guint i = 0; i < gst_caps_get_size(offered); ++i) {
    const gchar* memory = other_memory(gst_caps_get_features(offered, i));
    if (memory == nullptr) return {};
    if (refused.empty()) refused = memory;
  }
  return refused;
}

std::string refusal_of(std::string_view memory) {
  return "buffers in " + std::string(memory) + " cannot be read by the processor: put " +
         downloader_of(memory) + " before it, and caps without that feature (video/x-raw) behind that";
}

Ptr<GstCaps> without_other_memory(const GstCaps* caps) {
  if (gst_caps_is_any(caps) != FALSE) return Ptr<GstCaps>(gst_caps_new_any());
  Ptr<GstCaps> kept(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    if (other_memory(gst_caps_get_features(caps, i)) == nullptr)
      gst_caps_append(kept.get(), gst_caps_copy_nth(caps, i));
  }
  return kept;
}

}  // namespace reel::gst
