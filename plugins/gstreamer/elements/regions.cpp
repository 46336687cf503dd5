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
constexpr guint kFirstId = 0x5200'0000;  // of our regions: others count from 0

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

// An element that scaled or cropped the picture moved the pixels alone: then they are right.
void take_pixels_unless_same(Detection& found, const GstVideoRegionOfInterestMeta& region) {
  if (box_of(found) == box_of(region)) return;
  found.x = static_cast<float>(region.x);
  found.y = static_cast<float>(region.y);
  found.width = static_cast<float>(region.w);
  found.height = static_cast<float>(region.h);
}

Detection of_pixels(const GstVideoRegionOfInterestMeta& region) {
  Detection found;
  found.set_label(type_of(region));
  take_pixels_unless_same(found, region);
  return found;
}

Detection of_param(const GstVideoRegionOfInterestMeta& region, const GstStructure* param) {
  Detection found = of_pixels(region);
  guint track = 0;
  found.score = number(param, "score", 0);
  if (gst_structure_get_uint(param, "track-id", &track) != FALSE) found.track_id = track;
  found.x = number(param, "x", found.x);
  found.y = number(param, "y", found.y);
  found.width = number(param, "width", found.width);
  found.height = number(param, "height", found.height);
  take_pixels_unless_same(found, region);
  return found;
}

Detection of_others(const GstVideoRegionOfInterestMeta& region) {
  Detection found = of_pixels(region);
  auto& writable = const_cast<GstVideoRegionOfInterestMeta&>(region);  // the getter is not const-correct
  if (const GstStructure* theirs = gst_video_region_of_interest_meta_get_param(&writable, kParam))
    found.score = number(theirs, "confidence", 0);
  return found;
}

// Whether a Detection says less than the region does. Ids of our own are given anew each time.
bool says_more(const GstVideoRegionOfInterestMeta& region, bool ours) {
  const bool only_ours = region.params != nullptr && region.params->next == nullptr &&
                         is_ours(static_cast<const GstStructure*>(region.params->data));
  const Box box = box_of(region);
  return (region.params != nullptr && !only_ours) || (!ours && region.id != 0) || region.parent_id != 0 ||
         std::max({box.x, box.y, box.width, box.height}) >= kExactFloat ||
         type_of(region).size() >= sizeof(Detection::label);
}

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
bool fits(const RegionExtra& extra, const Detection& found) {
  Detection theirs;
  theirs.set_label(extra.type);
  const auto shown = [](guint pixels) { return std::min(pixels, 65535u); };
  const bool exact = std::max({extra.x, extra.y, extra.width, extra.height}) < kExactFloat;
  return theirs.label_text() == found.label_text() &&
         (!exact ||
          box_of(found) == Box{shown(extra.x), shown(extra.y), shown(extra.width), shown(extra.height)});
}

// GStreamer takes no other text.
std::string utf8(std::string_view text) {
  const Text valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return valid.get();
}

void attach_one(GstBuffer* buffer, const std::string& source, const Detection& found, RegionExtra* extra,
                guint our_id) {
  const Box box = extra != nullptr ? Box{extra->x, extra->y, extra->width, extra->height} : box_of(found);
  const std::string type = utf8(extra != nullptr ? std::string_view(extra->type) : found.label_text());
  GstVideoRegionOfInterestMeta* region =
      gst_buffer_add_video_region_of_interest_meta(buffer, type.c_str(), box.x, box.y, box.width, box.height);
  if (extra != nullptr) {
    region->id = extra->id;
    region->parent_id = extra->parent_id;
    for (StructurePtr& param : extra->params)
      gst_video_region_of_interest_meta_add_param(region, param.release());
  }
  if (our_id != 0) region->id = static_cast<gint>(our_id);
  if (our_id != 0 || (extra == nullptr && (found.score != 0 || found.track_id != 0)))
    add_param(region, source, found);
}

}  // namespace

void RegionsIn::know(guint first_id, std::string_view source, std::span<const Detection> detections) {
  for (const Detection& one : detections)
    known_.insert_or_assign(first_id++, Known{std::string(source), one});
}

const RegionsIn::Known* RegionsIn::known(const GstVideoRegionOfInterestMeta& region) const {
  const auto found = known_.find(static_cast<guint>(region.id));
  if (found == known_.end() || utf8(found->second.detection.label_text()) != type_of(region)) return nullptr;
  return &found->second;
}

void RegionsIn::write(SideDataWriter& side_data, LostMetas& lost) const {
  constexpr std::string_view kType = "GstVideoRegionOfInterestMetaAPI";
  struct Group {
    std::string source;
    std::vector<Detection> detections;
  };
  std::vector<Group> groups;
  std::vector<std::pair<Packer, bool>> details;  // false: they cannot be written
  for (const GstVideoRegionOfInterestMeta* region : regions_) {
    const Known* before = known(*region);
    const GstStructure* param = our_param(*region);
    const std::string source = before != nullptr  ? before->source
                               : param != nullptr ? gst_structure_get_string(param, kSource)
                                                  : kUnnamed;
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.source == source; });
    if (group == groups.end()) group = groups.insert(group, {source, {}});
    if (says_more(*region, before != nullptr)) {
      auto& [bytes, written] = details.emplace_back();
      bytes.text(source).number(static_cast<std::uint32_t>(group->detections.size()));
      written = pack(*region, bytes);
    }
    Detection found = before != nullptr  ? before->detection
                      : param != nullptr ? of_param(*region, param)
                                         : of_others(*region);
    take_pixels_unless_same(found, *region);
    group->detections.push_back(found);
  }
  for (const Group& group : groups) {
    if (!side_data.add_detections(group.source, group.detections)) lost.count(kType, group.detections.size());
  }
  for (const auto& [bytes, written] : details) {
    if (!written || !side_data.add_bytes(kRegionDetails, bytes.packed()))
      lost.count("GstVideoRegionOfInterestMetaAPI-details");
  }
}

RegionsOut::RegionsOut(const SideDataView& side_data) : next_id_(kFirstId) {
  for (const SideDataView::Entry& entry : side_data) {
    if (entry.type == SideDataType::bytes && entry.name == kRegionDetails) unpack(entry.data);
  }
}

void RegionsOut::unpack(std::span<const std::byte> data) {
  Unpacker from(data);
  std::string source = from.text();
  const auto index = from.number<std::uint32_t>();
  RegionExtra extra;
  extra.x = from.number<guint>();
  extra.y = from.number<guint>();
  extra.width = from.number<guint>();
  extra.height = from.number<guint>();
  extra.id = from.number<gint>();
  extra.parent_id = from.number<gint>();
  extra.type = from.text();
  while (from.good() && !from.done()) {
    StructurePtr param = structure_from(from.sized());
    if (!param) return;
    extra.params.push_back(std::move(param));
  }
  if (from.done()) extras_.insert_or_assign({std::move(source), index}, std::move(extra));
}

guint RegionsOut::attach(GstBuffer* buffer, const SideDataView::Entry& entry) {
  const std::string source = utf8(entry.name);
  const bool ours = source != kUnnamed;
  const guint first_id = next_id_;
  std::uint32_t index = 0;
  for (const Detection& found : SideDataView::detections(entry)) {
    const auto extra = extras_.empty() ? extras_.end() : extras_.find({source, index});
    ++index;
    attach_one(buffer, source, found,
               extra != extras_.end() && fits(extra->second, found) ? &extra->second : nullptr,
               ours ? next_id_++ : 0);
  }
  return ours ? first_id : 0;
}

}  // namespace reel::gst
