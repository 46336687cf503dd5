#include "side_data.hpp"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>

namespace reel::gst {
namespace {

constexpr const char* kSideDataMeta = "ReelSideData";  // entries that GStreamer has no meta for, as they came
constexpr std::string_view kCustomMeta = "gst.custom-meta";  // an entry: any other custom meta, as text
constexpr std::string_view kUnnamed = "gst.roi";             // detections that came as regions of interest
constexpr const char* kDetection = "detection";

GstCaps* monotonic_reference() {
  static GstCaps* const caps = gst_caps_new_empty_simple("timestamp/x-clock-monotonic");
  return caps;
}

void register_side_data_meta() {
  static const bool once = [] {
    static const gchar* no_tags[] = {nullptr};  // it depends on nothing: every element copies it
    return gst_meta_register_custom(kSideDataMeta, no_tags, nullptr, nullptr, nullptr) != nullptr;
  }();
  (void)once;
}

void attach_detection(GstBuffer* buffer, std::string_view source, const Detection& found) {
  const auto pixel = [](float value) -> guint {
    return std::isfinite(value) && value > 0 ? static_cast<guint>(std::min(value, 65535.0F)) : 0;
  };
  GstVideoRegionOfInterestMeta* roi = gst_buffer_add_video_region_of_interest_meta(
      buffer, std::string(found.label_text()).c_str(), pixel(found.x), pixel(found.y), pixel(found.width),
      pixel(found.height));
  gst_video_region_of_interest_meta_add_param(
      roi, gst_structure_new(kDetection, "score", G_TYPE_DOUBLE, static_cast<double>(found.score), "track-id",
                             G_TYPE_UINT, found.track_id, "source", G_TYPE_STRING,
                             std::string(source).c_str(), nullptr));
}

// One entry after the other, in the bytes of side data.
void attach_entry(GstBuffer* buffer, const SideDataView::Entry& entry) {
  register_side_data_meta();
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, kSideDataMeta);
  if (meta == nullptr) return;
  GBytes* bytes = g_bytes_new(entry.data.data(), entry.data.size());
  gst_structure_set(gst_custom_meta_get_structure(meta), "type", G_TYPE_UINT, static_cast<guint>(entry.type),
                    "name", G_TYPE_STRING, std::string(entry.name).c_str(), "data", G_TYPE_BYTES, bytes,
                    nullptr);
  g_bytes_unref(bytes);
}

// "name", then the structure: gst_structure_to_string knows no fixed place for the meta's own name.
void attach_custom_meta(GstBuffer* buffer, const SideDataView::Entry& entry) {
  const std::string text(reinterpret_cast<const char*>(entry.data.data()), entry.data.size());
  GstStructure* structure = gst_structure_from_string(text.c_str(), nullptr);
  if (structure == nullptr) return;
  const gchar* name = gst_structure_get_name(structure);
  if (gst_meta_get_info(name) != nullptr) {
    if (GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, name)) {
      gst_structure_foreach(
          structure,
          [](GQuark field, const GValue* value, gpointer to) -> gboolean {
            gst_structure_id_set_value(static_cast<GstStructure*>(to), field, value);
            return TRUE;
          },
          gst_custom_meta_get_structure(meta));
    }
  }
  gst_structure_free(structure);
}

struct Found {
  std::string source;
  std::vector<Detection> detections;
};

void add_region(std::vector<Found>& all, const GstVideoRegionOfInterestMeta& roi) {
  Detection found;
  found.set_label(g_quark_to_string(roi.roi_type) != nullptr ? g_quark_to_string(roi.roi_type) : "");
  found.x = static_cast<float>(roi.x);
  found.y = static_cast<float>(roi.y);
  found.width = static_cast<float>(roi.w);
  found.height = static_cast<float>(roi.h);
  std::string source(kUnnamed);
  auto* writable = const_cast<GstVideoRegionOfInterestMeta*>(&roi);  // the getter is not const-correct
  if (const GstStructure* more = gst_video_region_of_interest_meta_get_param(writable, kDetection)) {
    double score = 0;
    guint track = 0;
    if (gst_structure_get_double(more, "score", &score) != FALSE) found.score = static_cast<float>(score);
    if (gst_structure_get_uint(more, "track-id", &track) != FALSE) found.track_id = track;
    if (const gchar* name = gst_structure_get_string(more, "source")) source = name;
  }
  for (Found& group : all) {
    if (group.source == source) return group.detections.push_back(found);
  }
  all.push_back({std::move(source), {found}});
}

bool add_side_data_meta(GstCustomMeta* meta, SideDataWriter& side_data) {
  const GstStructure* structure = gst_custom_meta_get_structure(meta);
  guint type = 0;
  const gchar* name = gst_structure_get_string(structure, "name");
  const GValue* data = gst_structure_get_value(structure, "data");
  if (gst_structure_get_uint(structure, "type", &type) == FALSE || name == nullptr || data == nullptr ||
      !G_VALUE_HOLDS(data, G_TYPE_BYTES))
    return false;
  gsize size = 0;
  const void* bytes = g_bytes_get_data(static_cast<GBytes*>(g_value_get_boxed(data)), &size);
  return side_data.add_entry(
      {static_cast<SideDataType>(type), name, {static_cast<const std::byte*>(bytes), size}});
}

bool add_custom_meta(GstCustomMeta* meta, SideDataWriter& side_data) {
  const Text text(gst_structure_to_string(gst_custom_meta_get_structure(meta)));
  return side_data.add_bytes(kCustomMeta, std::as_bytes(std::span(std::string_view(text.get()))));
}

// What a buffer's memory, format or place in its pool implies: nothing is lost with it.
bool implied(GType api) {
  static const GType parent = gst_parent_buffer_meta_api_get_type();
  return api == GST_VIDEO_META_API_TYPE || api == GST_VIDEO_CROP_META_API_TYPE ||
         api == GST_AUDIO_META_API_TYPE || api == parent;
}

}  // namespace

void attach_side_data(GstBuffer* buffer, const Frame& frame) {
  if (frame.info().capture_ns != kNoTime)
    gst_buffer_add_reference_timestamp_meta(buffer, monotonic_reference(),
                                            static_cast<GstClockTime>(frame.info().capture_ns),
                                            GST_CLOCK_TIME_NONE);
  for (const SideDataView::Entry& entry : frame.side_data()) {
    if (entry.type == SideDataType::detections) {
      for (const Detection& found : SideDataView::detections(entry))
        attach_detection(buffer, entry.name, found);
    } else if (entry.type == SideDataType::bytes && entry.name == kCustomMeta) {
      attach_custom_meta(buffer, entry);
    } else {
      attach_entry(buffer, entry);
    }
  }
}

std::uint64_t collect_side_data(GstBuffer* buffer, SideDataWriter& side_data) {
  std::uint64_t lost = 0;
  std::vector<Found> found;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(buffer, &state)) {
    const GType api = meta->info->api;
    if (implied(api)) continue;
    if (api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) {
      add_region(found, *reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
    } else if (api == GST_REFERENCE_TIMESTAMP_META_API_TYPE) {
      const auto* reference = reinterpret_cast<const GstReferenceTimestampMeta*>(meta);
      lost += gst_caps_is_subset(reference->reference, monotonic_reference()) != FALSE ? 0 : 1;
    } else if (gst_meta_info_is_custom(meta->info) != FALSE) {
      auto* custom = reinterpret_cast<GstCustomMeta*>(meta);
      const bool ours = gst_custom_meta_has_name(custom, kSideDataMeta) != FALSE;
      lost += (ours ? add_side_data_meta(custom, side_data) : add_custom_meta(custom, side_data)) ? 0 : 1;
    } else {
      ++lost;
    }
  }
  for (const Found& group : found)
    lost += side_data.add_detections(group.source, group.detections) ? 0 : group.detections.size();
  return lost;
}

std::int64_t reference_time(GstBuffer* buffer) noexcept {
  const GstReferenceTimestampMeta* meta =
      gst_buffer_get_reference_timestamp_meta(buffer, monotonic_reference());
  return meta != nullptr ? static_cast<std::int64_t>(meta->timestamp) : kNoTime;
}

}  // namespace reel::gst
