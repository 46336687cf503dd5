#include "file_caps.hpp"

#include <cstring>
#include <string>

#include <gst/pbutils/codec-utils.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/read_map.hpp>

namespace record {

namespace {

std::string text_of(const GValue* headers, guint number) {
  const GValue* value = gst_value_array_get_value(headers, number);
  if (!GST_VALUE_HOLDS_BUFFER(value)) return {};
  const reel::gst::ReadMap map(gst_value_get_buffer(value));
  return {reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()};
}

void append(GValue* headers, const std::string& bytes) {
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_BUFFER);
  gst_value_take_buffer(&value, buffer);
  gst_value_array_append_and_take_value(headers, &value);
}

void join_flac_headers(GstStructure* structure) {
  const GValue* headers = gst_structure_get_value(structure, "streamheader");
  if (headers == nullptr || !GST_VALUE_HOLDS_ARRAY(headers)) return;
  const guint count = gst_value_array_get_size(headers);
  if (count < 2 || text_of(headers, 0) != "fLaC") return;
  const guint more = count - 2;
  GValue joined = G_VALUE_INIT;
  g_value_init(&joined, GST_TYPE_ARRAY);
  const std::string number{static_cast<char>(more >> 8U & 0xFFU), static_cast<char>(more & 0xFFU)};
  append(&joined,
         "\x7F"
         "FLAC\x01" +
             std::string(1, '\0') + number + "fLaC" + text_of(headers, 1));
  for (guint i = 2; i < count; ++i) append(&joined, text_of(headers, i));
  gst_structure_take_value(structure, "streamheader", &joined);
}

/// matroskademux doubles the rate where the AudioSpecificConfig ends with a sync extension (ISO/IEC 14496-3
/// 1.6.6), though it says that there is no SBR, as libavcodec's does: each copy of a file would be of twice
/// the rate of the one before.
void take_rate_of_aac(GstStructure* structure) {
  const GValue* config = gst_structure_get_value(structure, "codec_data");
  if (config == nullptr || !GST_VALUE_HOLDS_BUFFER(config)) return;
  const reel::gst::ReadMap map(gst_value_get_buffer(config));
  const guint rate_hz = gst_codec_utils_aac_get_sample_rate(
      reinterpret_cast<const guint8*>(map.bytes().data()), static_cast<guint>(map.bytes().size()));
  if (rate_hz != 0) gst_structure_set(structure, "rate", G_TYPE_INT, static_cast<gint>(rate_hz), nullptr);
}

}  // namespace

void complete_for_file(GstCaps* caps) {
  GstStructure* structure = gst_caps_get_structure(caps, 0);
  if (gst_structure_has_name(structure, "video/x-ffv") != FALSE)
    gst_structure_set(structure, "ffversion", G_TYPE_INT, 1, nullptr);
  if (gst_structure_has_name(structure, "audio/x-flac") != FALSE) join_flac_headers(structure);
  gint version = 0;
  if (gst_structure_has_name(structure, "audio/mpeg") != FALSE &&
      gst_structure_get_int(structure, "mpegversion", &version) != FALSE && version == 4)
    take_rate_of_aac(structure);
}

}  // namespace record
