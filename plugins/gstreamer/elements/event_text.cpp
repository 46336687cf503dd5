#include "event_text.hpp"

#include <string_view>

#include "structure_bytes.hpp"

namespace reel::gst {
namespace {

// A structure's text has a comma or a semicolon behind its name: never a space.
constexpr std::string_view kSticky = "sticky ";

}  // namespace

std::optional<std::string> event_text(GstEvent* event) {
  const GstStructure* structure = gst_event_get_structure(event);
  if (structure == nullptr) return std::nullopt;
  const auto bytes = structure_bytes(structure);
  if (!bytes) return std::nullopt;
  std::string text(GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY ? kSticky : "");
  return text.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

GstEvent* event_from(std::span<const std::byte> payload) {
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  const bool sticky = text.starts_with(kSticky);
  StructurePtr structure = structure_from(sticky ? payload.subspan(kSticky.size()) : payload);
  if (!structure) return nullptr;
  return gst_event_new_custom(sticky ? GST_EVENT_CUSTOM_DOWNSTREAM_STICKY : GST_EVENT_CUSTOM_DOWNSTREAM,
                              structure.release());
}

}  // namespace reel::gst
