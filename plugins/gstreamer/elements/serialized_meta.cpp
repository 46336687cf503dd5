#include "serialized_meta.hpp"

#include <array>
#include <cstring>
#include <string>

#include <gst/audio/audio.h>
#include <gst/video/video.h>

namespace reel::gst {

#if GST_CHECK_VERSION(1, 24, 0)

namespace {

// [total size][name length][name]\0[version][payload], sizes of 32 bits: the head as gst_meta_deserialize()
// will read it.
bool may_be_read(std::span<const std::byte> data) {
  std::array<std::uint32_t, 2> head{};
  if (data.size() < sizeof head) return false;
  std::memcpy(head.data(), data.data(), sizeof head);
  const auto [total, name_bytes] = head;
  if (total > data.size() || std::uint64_t{name_bytes} + sizeof head + 2 > total) return false;
  const std::string name(reinterpret_cast<const char*>(data.data()) + sizeof head, name_bytes);
  const GstMetaInfo* info = gst_meta_get_info(name.c_str());
  if (info == nullptr || gst_meta_info_is_custom(info) != FALSE) return false;
  for (const GType checked : {GST_VIDEO_META_API_TYPE, GST_VIDEO_CROP_META_API_TYPE, GST_AUDIO_META_API_TYPE,
                              GST_REFERENCE_TIMESTAMP_META_API_TYPE}) {
    if (info->api == checked) return false;
  }
  return true;
}

}  // namespace

bool write_serialized(const GstMeta& meta, SideDataWriter& side_data) {
  GByteArray* bytes = g_byte_array_new();
  const bool fits = gst_meta_serialize_simple(&meta, bytes) != FALSE &&
                    side_data.add_bytes(kSerializedMeta, std::as_bytes(std::span(bytes->data, bytes->len)));
  g_byte_array_unref(bytes);
  return fits;
}

bool attach_serialized(GstBuffer* buffer, std::span<const std::byte> data) {
  guint32 consumed = 0;
  return may_be_read(data) && gst_meta_deserialize(buffer, reinterpret_cast<const guint8*>(data.data()),
                                                   data.size(), &consumed) != nullptr;
}

#else

bool write_serialized(const GstMeta& /*meta*/, SideDataWriter& /*side_data*/) {
  return false;
}

bool attach_serialized(GstBuffer* /*buffer*/, std::span<const std::byte> /*data*/) {
  return false;
}

#endif

}  // namespace reel::gst
