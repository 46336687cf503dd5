// Metas of a few numbers or bytes each (time codes, captions, clipping and level of sound, SEI messages ...)
// as side-data entries named after them, with any version of GStreamer. Stateless; what is read may be
// anybody's.
#pragma once

#include <span>
#include <string_view>

#include <gst/gst.h>

#include <reel/format/side_data.hpp>

namespace reel::gst {

/// Whether metas of this API are written here.
[[nodiscard]] bool is_small_meta(GType api);
/// False when it found no room. REQUIRES: is_small_meta(meta.info->api).
bool write_small_meta(GstMeta& meta, SideDataWriter& side_data);

/// False for an entry of another name, and for one that cannot be right. `buffer` is writable.
bool attach_small_meta(GstBuffer* buffer, std::string_view name, std::span<const std::byte> data);

}  // namespace reel::gst
