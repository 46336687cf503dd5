// Serialized custom events, sticky ones too, as the payload of an event frame and back: the text of their
// structure (see structure_bytes.hpp). Stateless; what is read may be anybody's.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <gst/gst.h>

namespace reel::gst {

/// REQUIRES: GST_EVENT_CUSTOM_DOWNSTREAM or _STICKY. nullopt when its structure cannot be written.
[[nodiscard]] std::optional<std::string> event_text(GstEvent* event);

/// nullptr for what is no event of GStreamer's. Owned by the caller.
[[nodiscard]] GstEvent* event_from(std::span<const std::byte> payload);

}  // namespace reel::gst
