#include "side_data.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>

#include "layout_metas.hpp"
#include "packed.hpp"
#include "regions.hpp"
#include "serialized_meta.hpp"
#include "small_metas.hpp"
#include "structure_bytes.hpp"

namespace reel::gst {
namespace {

constexpr const char* kSideDataMeta = "ReelSideData";  // entries that GStreamer has no meta for, as they came
constexpr const char* kFirstRegion = "first-region";   // in it: the id of the first
constexpr std::string_view kCustomMeta = "gst.custom-meta";  // names of entries: a custom meta's structure
constexpr std::string_view kReference = "gst.reference-time";
constexpr std::string_view kProtection = "gst.protection";

GstCaps* monotonic_reference() {
  static GstCaps* const caps = [] {
    GstCaps* made = gst_caps_new_empty_simple("timestamp/x-clock-monotonic");
    GST_MINI_OBJECT_FLAG_SET(made, GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);  // lives as long as the process
    return made;
  }();
  return caps;
}

void register_side_data_meta() {
  static const bool once = [] {
    static const gchar* no_tags[] = {nullptr};  // it depends on nothing: every element copies it
    return gst_meta_register_custom(kSideDataMeta, no_tags, nullptr, nullptr, nullptr) != nullptr;
  }();
  (void)once;
}

// --- entries of Reel's own, through GStreamer and back ---

// `first_region`: not 0 for detections that regions stand for.
void attach_entry(GstBuffer* buffer, const SideDataView::Entry& entry, guint first_region = 0) {
  register_side_data_meta();
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, kSideDataMeta);
  if (meta == nullptr) return;
  const Text name(g_utf8_make_valid(entry.name.data(), static_cast<gssize>(entry.name.size())));
  GBytes* bytes = g_bytes_new(entry.data.data(), entry.data.size());
  gst_structure_set(gst_custom_meta_get_structure(meta), "type", G_TYPE_UINT, static_cast<guint>(entry.type),
                    "name", G_TYPE_STRING, name.get(), "data", G_TYPE_BYTES, bytes, nullptr);
  if (first_region != 0)
    gst_structure_set(gst_custom_meta_get_structure(meta), kFirstRegion, G_TYPE_UINT, first_region, nullptr);
  g_bytes_unref(bytes);
}

std::optional<SideDataView::Entry> entry_of(GstCustomMeta* meta) {
  const GstStructure* structure = gst_custom_meta_get_structure(meta);
  guint type = 0;
  const gchar* name = gst_structure_get_string(structure, "name");
  const GValue* data = gst_structure_get_value(structure, "data");
  if (gst_structure_get_uint(structure, "type", &type) == FALSE || type == 0 || name == nullptr ||
      data == nullptr || !G_VALUE_HOLDS(data, G_TYPE_BYTES) || g_value_get_boxed(data) == nullptr)
    return std::nullopt;
  gsize size = 0;
  const void* bytes = g_bytes_get_data(static_cast<GBytes*>(g_value_get_boxed(data)), &size);
  return SideDataView::Entry{
      static_cast<SideDataType>(type), name, {static_cast<const std::byte*>(bytes), size}};
}

bool write_entry(GstCustomMeta* meta, RegionsIn& regions, SideDataWriter& side_data) {
  const auto entry = entry_of(meta);
  if (!entry) return false;
  guint first_region = 0;
  if (gst_structure_get_uint(gst_custom_meta_get_structure(meta), kFirstRegion, &first_region) == FALSE)
    return side_data.add_entry(*entry);
  regions.know(first_region, entry->name, SideDataView::detections(*entry));
  return true;
}

// --- GStreamer's metas, through Reel and back ---

bool write_structure(std::string_view name, const GstStructure* structure, SideDataWriter& side_data) {
  if (structure == nullptr) return false;
  const auto bytes = structure_bytes(structure);
  return bytes && side_data.add_bytes(name, *bytes);
}

gboolean copy_field(GQuark field, const GValue* value, gpointer to) {
  gst_structure_id_set_value(static_cast<GstStructure*>(to), field, value);
  return TRUE;
}

// False where this process has no such custom meta: then the entry is passed on as it is.
bool attach_custom_meta(GstBuffer* buffer, std::span<const std::byte> data) {
  const StructurePtr structure = structure_from(data);
  if (!structure) return false;
  const gchar* name = gst_structure_get_name(structure.get());
  const GstMetaInfo* info = gst_meta_get_info(name);
  if (info == nullptr || gst_meta_info_is_custom(info) == FALSE) return false;
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, name);
  if (meta == nullptr) return false;
  gst_structure_foreach(structure.get(), copy_field, gst_custom_meta_get_structure(meta));
  return true;
}

bool attach_protection(GstBuffer* buffer, std::span<const std::byte> data) {
  StructurePtr structure = structure_from(data);
  if (!structure) return false;
  gst_buffer_add_protection_meta(buffer, structure.release());
  return true;
}

bool write_reference(const GstReferenceTimestampMeta& meta, SideDataWriter& side_data) {
  const Text caps(gst_caps_to_string(meta.reference));
  Packer bytes;
  bytes.number(std::uint64_t{meta.timestamp}).number(std::uint64_t{meta.duration}).text(caps.get());
  return side_data.add_bytes(kReference, bytes.packed());
}

bool attach_reference(GstBuffer* buffer, std::span<const std::byte> data) {
  Unpacker from(data);
  const auto timestamp = from.number<std::uint64_t>();
  const auto duration = from.number<std::uint64_t>();
  const std::string text = from.text();
  if (!from.done() || !GST_CLOCK_TIME_IS_VALID(timestamp)) return false;
  const Ptr<GstCaps> caps(gst_caps_from_string(text.c_str()));
  if (!caps || gst_caps_is_any(caps.get()) != FALSE || gst_caps_is_empty(caps.get()) != FALSE) return false;
  gst_buffer_add_reference_timestamp_meta(buffer, caps.get(), timestamp, duration);
  return true;
}

// FrameInfo::capture_ns has the first of them.
bool is_capture_time(GstBuffer* buffer, const GstReferenceTimestampMeta* meta) {
  return meta == gst_buffer_get_reference_timestamp_meta(buffer, monotonic_reference()) &&
         !GST_CLOCK_TIME_IS_VALID(meta->duration);
}

bool write_custom(GstCustomMeta* meta, RegionsIn& regions, SideDataWriter& side_data) {
  if (gst_custom_meta_has_name(meta, kSideDataMeta) != FALSE) return write_entry(meta, regions, side_data);
  return write_structure(kCustomMeta, gst_custom_meta_get_structure(meta), side_data);
}

std::string_view name_of(GstMeta* meta) {
  if (gst_meta_info_is_custom(meta->info) == FALSE) return g_type_name(meta->info->api);
  return gst_structure_get_name(gst_custom_meta_get_structure(reinterpret_cast<GstCustomMeta*>(meta)));
}

// False when it cannot travel, or found no room.
bool write_meta(GstBuffer* buffer, GstMeta* meta, const Format& format, SideDataWriter& side_data) {
  const GType api = meta->info->api;
  if (api == GST_VIDEO_META_API_TYPE)
    return true;  // planes travel in the frame's layout, or in that of the caps
  if (api == GST_VIDEO_CROP_META_API_TYPE)
    return write_crop_meta(buffer, *reinterpret_cast<GstVideoCropMeta*>(meta), format, side_data);
  if (api == GST_AUDIO_META_API_TYPE)
    return write_audio_meta(*reinterpret_cast<GstAudioMeta*>(meta), buffer, side_data);
  if (api == gst_parent_buffer_meta_api_get_type()) return true;  // it only keeps memory alive
  if (api == GST_REFERENCE_TIMESTAMP_META_API_TYPE) {
    const auto* reference = reinterpret_cast<GstReferenceTimestampMeta*>(meta);
    return is_capture_time(buffer, reference) || write_reference(*reference, side_data);
  }
  if (api == GST_PROTECTION_META_API_TYPE)
    return write_structure(kProtection, reinterpret_cast<GstProtectionMeta*>(meta)->info, side_data);
  if (is_small_meta(api)) return write_small_meta(*meta, side_data);
  return write_serialized(*meta, side_data);
}

// False when GStreamer cannot make a meta of it.
bool attach_bytes(GstBuffer* buffer, const SideDataView::Entry& entry, const Format& format) {
  const std::string_view name = entry.name;
  if (name == kCustomMeta) return attach_custom_meta(buffer, entry.data);
  if (name == kReference) return attach_reference(buffer, entry.data);
  if (name == kProtection) return attach_protection(buffer, entry.data);
  if (name == kSerializedMeta) return attach_serialized(buffer, entry.data);
  if (name == kRegionDetails) return true;  // see RegionsOut
  if (name == kCropMeta)
    attach_crop_meta(buffer, entry.data, format);
  else if (name == kAudioMeta)
    attach_audio_meta(buffer, entry.data, format);
  else
    return attach_small_meta(buffer, name, entry.data);
  return true;
}

}  // namespace

void attach_side_data(GstBuffer* buffer, const Format& format, std::int64_t capture_ns,
                      const SideDataView& side_data) {
  if (!side_data.empty()) {
    RegionsOut regions(side_data);
    for (const SideDataView::Entry& entry : side_data) {
      if (entry.type == SideDataType::bytes && attach_bytes(buffer, entry, format)) continue;
      const bool boxes = entry.type == SideDataType::detections && !SideDataView::detections(entry).empty();
      const guint first_region = boxes ? regions.attach(buffer, entry) : 0;
      if (!boxes || first_region != 0) attach_entry(buffer, entry, first_region);
    }
  }
  const bool given =
      !side_data.empty() && gst_buffer_get_reference_timestamp_meta(buffer, monotonic_reference()) != nullptr;
  if (capture_ns >= 0 && !given)
    gst_buffer_add_reference_timestamp_meta(buffer, monotonic_reference(),
                                            static_cast<GstClockTime>(capture_ns), GST_CLOCK_TIME_NONE);
}

void collect_side_data(GstBuffer* buffer, const Format& format, SideDataWriter& side_data, LostMetas& lost) {
  RegionsIn regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(buffer, &state)) {
    bool fits = true;
    if (meta->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)
      regions.add(*reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
    else if (gst_meta_info_is_custom(meta->info) != FALSE)
      fits = write_custom(reinterpret_cast<GstCustomMeta*>(meta), regions, side_data);
    else
      fits = write_meta(buffer, meta, format, side_data);
    if (!fits) lost.count(name_of(meta));
  }
  regions.write(side_data, lost);
}

std::int64_t reference_time(GstBuffer* buffer) noexcept {
  const GstReferenceTimestampMeta* meta =
      gst_buffer_get_reference_timestamp_meta(buffer, monotonic_reference());
  if (meta == nullptr || meta->timestamp > static_cast<GstClockTime>(G_MAXINT64)) return kNoTime;
  return static_cast<std::int64_t>(meta->timestamp);
}

}  // namespace reel::gst
