// reel://STREAM?policy=lossless&start=oldest: a stream and settings of the element that reads it.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <gst/gst.h>

namespace reel::gst {

inline constexpr const char* kUriScheme = "reel";

/// Sets `stream`, and what the query part names, on a reelsrc. Nothing is set and FALSE returned with `error`
/// where anything is wrong: another scheme, no or a bad name, a path, a property that is not a setting, a
/// value it cannot have; a query part at a running element.
[[nodiscard]] gboolean apply_uri(GstElement* element, const gchar* uri, GError** error);

/// What is behind the '?', if anything.
[[nodiscard]] std::string query_part(std::string_view uri);

}  // namespace reel::gst
