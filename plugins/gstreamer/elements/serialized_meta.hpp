// Metas that GStreamer itself can write as bytes (1.24 and newer), those of plugins and applications too, as
// side-data entries. Stateless; what is read may be anybody's.
#pragma once

#include <span>

#include <gst/gst.h>

#include <reel/format/side_data.hpp>

namespace reel::gst {

inline constexpr const char* kSerializedMeta = "gst.meta";  // name of the entries

/// False for a meta that this GStreamer cannot write, and when it did not find room.
bool write_serialized(const GstMeta& meta, SideDataWriter& side_data);

/// False for bytes of which this GStreamer makes no meta, and for metas that have entries of their own: those
/// are checked against the buffer.
bool attach_serialized(GstBuffer* buffer, std::span<const std::byte> data);

}  // namespace reel::gst
