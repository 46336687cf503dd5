#include "regions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include <reel/gst/pointers.hpp>

#include "packed.hpp"
#include "structure_bytes.hpp"

namespace reel::gst {
namespace {

constexpr const char* kUnnamed = "gst.roi";  // who found the regions that were not ours
constexpr const char* kParam = "detection";  // our parameter structure; other analysers have one of that name
constexpr const char* kSource = "source";    // in it: what makes it ours
constexpr guint kExactFloat = 1u << 24;

struct Box {
  guint x, y, width, height;
  bool operator==(const Box&) const = default;
};

guint pixel(float value) {
  return std::isfinite(value) && value > 0 ? static_cast<guint>(std::lround(std::min(value, 65535.0F))) : 0;
}
Box box_of(const Detection& found) {
  return {pixel(found.x), pixel(found.y), pixel(found.width), pixel(found.height)};
}
Box box_of(const GstVideoRegionOfInterestMeta& region) {
  return {region.x, region.y, region.w, region.h};
}

std::string_view type_of(const GstVideoRegionOfInterestMeta& region) {
  const gchar* type = g_quark_to_string(region.roi_type);
  return type != nullptr ? type : "";
}

bool is_ours(const GstStructure* param) {
  return gst_structure_has_name(param, kParam) != FALSE &&
         gst_structure_get_string(param, kSource) != nullptr;
}

const GstStructure* our_param(const GstVideoRegionOfInterestMeta& region) {
  for (const GList* at = region.params; at != nullptr; at = at->next) {
    if (const auto* param = static_cast<const GstStructure*>(at->data); is_ours(param)) return param;
  }
  return nullptr;
}

float number(const GstStructure* param, const char* field, float otherwise) {
  gdouble value = 0;
  return gst_structure_get_double(param, field, &value) != FALSE ? static_cast<float>(value) : otherwise;
}

void read_box(Detection& found, const GstStructure* param) {
  Detection exact = found;
  exact.x = number(param, "x", found.x);
  exact.y = number(param, "y", found.y);
  exact.width = number(param, "width", found.width);
  exact.height = number(param, "height", found.height);
  // An element that scaled or cropped the picture moved the pixels alone.
  if (box_of(exact) == box_of(found)) found = exact;
}

Detection detection_of(const GstVideoRegionOfInterestMeta& region) {
  Detection found;
  found.set_label(type_of(region));
  found.x = static_cast<float>(region.x);
  found.y = static_cast<float>(region.y);
  found.width = static_cast<float>(region.w);
  found.height = static_cast<float>(region.h);
  if (const GstStructure* param = our_param(region)) {
    guint track = 0;
    found.score = number(param, "score", 0);
    if (gst_structure_get_uint(param, "track-id", &track) != FALSE) found.track_id = track;
    read_box(found, param);
  } else {
    auto& of = const_cast<GstVideoRegionOfInterestMeta&>(region);  // the getter is not const-correct
    const GstStructure* theirs = gst_video_region_of_interest_meta_get_param(&of, kParam);
    if (theirs != nullptr) found.score = number(theirs, "confidence", 0);
  }
  return found;
}

// Whether a Detection says less than the region does.
bool says_more(const GstVideoRegionOfInterestMeta& region) {
  const bool only_ours = region.params != nullptr && region.params->next == nullptr &&
                         is_ours(static_cast<const GstStructure*>(region.params->data));
  const Box box = box_of(region);
  return (region.params != nullptr && !only_ours) || region.id != 0 || region.parent_id != 0 ||
         std::max({box.x, box.y, box.width, box.height}) >= kExactFloat ||
         type_of(region).size() >= sizeof(Detection::label);
}

struct Extra {
  Box box{};
  gint id = 0, parent_id = 0;
  std::string type;
  std::vector<StructurePtr> params;
};
using Extras = std::map<std::pair<std::string, std::uint32_t>, Extra>;

// False when a parameter cannot be written.
bool pack(const GstVideoRegionOfInterestMeta& region, Packer& to) {
  to.number(region.x).number(region.y).number(region.w).number(region.h);
  to.number(region.id).number(region.parent_id).text(type_of(region));
  for (const GList* at = region.params; at != nullptr; at = at->next) {
    const auto* param = static_cast<const GstStructure*>(at->data);
    if (is_ours(param)) continue;
    const auto bytes = structure_bytes(param);
    if (!bytes) return false;
    to.sized(*bytes);
  }
  return true;
}

void unpack(std::span<const std::byte> data, Extras& extras) {
  Unpacker from(data);
  std::string source = from.text();
  const auto index = from.number<std::uint32_t>();
  Extra extra;
  extra.box.x = from.number<guint>();
  extra.box.y = from.number<guint>();
  extra.box.width = from.number<guint>();
  extra.box.height = from.number<guint>();
  extra.id = from.number<gint>();
  extra.parent_id = from.number<gint>();
  extra.type = from.text();
  while (from.good() && !from.done()) {
    StructurePtr param = structure_from(from.sized());
    if (!param) return;
    extra.params.push_back(std::move(param));
  }
  if (from.done()) extras.insert_or_assign({std::move(source), index}, std::move(extra));
}

void add_param(GstVideoRegionOfInterestMeta* region, const std::string& source, const Detection& found) {
  GstStructure* param = gst_structure_new(kParam, "score", G_TYPE_DOUBLE, static_cast<gdouble>(found.score),
                                          "track-id", G_TYPE_UINT, found.track_id, kSource, G_TYPE_STRING,
                                          source.c_str(), "x", G_TYPE_DOUBLE, static_cast<gdouble>(found.x),
                                          "y", G_TYPE_DOUBLE, static_cast<gdouble>(found.y), "width",
                                          G_TYPE_DOUBLE, static_cast<gdouble>(found.width), "height",
                                          G_TYPE_DOUBLE, static_cast<gdouble>(found.height), nullptr);
  gst_video_region_of_interest_meta_add_param(region, param);
}

// Those of a detection that a stage changed or moved to another place no longer fit.
bool fits(const Extra& extra, const Detection& found) {
  Detection theirs;
  theirs.set_label(extra.type);
  const bool exact = std::max({extra.box.x, extra.box.y, extra.box.width, extra.box.height}) < kExactFloat;
  return theirs.label_text() == found.label_text() &&
         (!exact ||
          box_of(found) == Box{std::min(extra.box.x, 65535u), std::min(extra.box.y, 65535u),
                               std::min(extra.box.width, 65535u), std::min(extra.box.height, 65535u)});
}

// GStreamer takes no other text.
std::string utf8(std::string_view text) {
  const Text valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return valid.get();
}

void attach(GstBuffer* buffer, const std::string& source, const Detection& found, Extra* extra) {
  const Box box = extra != nullptr ? extra->box : box_of(found);
  const std::string type = utf8(extra != nullptr ? std::string_view(extra->type) : found.label_text());
  GstVideoRegionOfInterestMeta* region =
      gst_buffer_add_video_region_of_interest_meta(buffer, type.c_str(), box.x, box.y, box.width, box.height);
  if (extra != nullptr) {
    region->id = extra->id;
    region->parent_id = extra->parent_id;
    for (StructurePtr& param : extra->params)
      gst_video_region_of_interest_meta_add_param(region, param.release());
  }
  const bool was_theirs = source == kUnnamed;
  if (!was_theirs || (extra == nullptr && (found.score != 0 || found.track_id != 0)))
    add_param(region, source, found);
}

}  // namespace

void RegionsIn::add(GstVideoRegionOfInterestMeta& region) {
  const GstStructure* ours = our_param(region);
  const std::string source = ours != nullptr ? gst_structure_get_string(ours, kSource) : kUnnamed;
  auto group = std::find_if(groups_.begin(), groups_.end(),
                            [&](const Group& known) { return known.source == source; });
  if (group == groups_.end()) group = groups_.insert(group, {source, {}});
  if (says_more(region))
    details_.push_back({source, static_cast<std::uint32_t>(group->detections.size()), &region});
  group->detections.push_back(detection_of(region));
}

void RegionsIn::write(SideDataWriter& side_data, LostMetas& lost) const {
  constexpr std::string_view kType = "GstVideoRegionOfInterestMetaAPI";
  for (const Group& group : groups_) {
    if (!side_data.add_detections(group.source, group.detections)) lost.count(kType, group.detections.size());
  }
  for (const Details& one : details_) {
    Packer bytes;
    bytes.text(one.source).number(one.index);
    if (!pack(*one.region, bytes) || !side_data.add_bytes(kRegionDetails, bytes.packed()))
      lost.count("GstVideoRegionOfInterestMetaAPI-details");
  }
}

void attach_regions(GstBuffer* buffer, const SideDataView& side_data) {
  Extras extras;
  for (const SideDataView::Entry& entry : side_data) {
    if (entry.type == SideDataType::bytes && entry.name == kRegionDetails) unpack(entry.data, extras);
  }
  for (const SideDataView::Entry& entry : side_data) {
    if (entry.type != SideDataType::detections) continue;
    const std::string source = utf8(entry.name);
    std::uint32_t index = 0;
    for (const Detection& found : SideDataView::detections(entry)) {
      const auto extra = extras.empty() ? extras.end() : extras.find({source, index});
      ++index;
      attach(buffer, source, found,
             extra != extras.end() && fits(extra->second, found) ? &extra->second : nullptr);
    }
  }
}

}  // namespace reel::gst
