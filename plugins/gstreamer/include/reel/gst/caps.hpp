// GstCaps to and from reel::Format, by way of the caps text: what Reel does not interpret (colorimetry,
// stream-format, alignment, channel masks) stays in the text. Thread-safe; gst_init() was called.
#pragma once

#include <string>
#include <string_view>

#include <gst/gst.h>

#include <reel/format/format.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {

/// REQUIRES: fixed caps. `codec_data` and every buffer of `streamheader` leave the text and become the
/// format's codec_data() and stream_headers(), whatever the media type (Opus: OpusHead is the codec data
/// too); raw video and audio have none. Throws Error{bad_argument} naming the field that is missing or out of
/// range, Error{unsupported} naming the feature of memory that the processor cannot map (memory:GLMemory).
[[nodiscard]] Format format_from_caps(const GstCaps* caps);

/// The way back, codec data and stream headers included. Throws Error{bad_argument} for text that GStreamer
/// cannot parse.
[[nodiscard]] Ptr<GstCaps> caps_from_format(const Format& format);

/// Those of `caps` whose buffers the processor can map: without the structures that name a memory feature
/// other than memory:SystemMemory (memory:DMABuf too: its pixels may be tiled). What a sink that takes
/// anything answers a caps query with, given the query's filter; ANY stays ANY.
[[nodiscard]] Ptr<GstCaps> without_other_memory(const GstCaps* caps);

/// The memory feature (memory:GLMemory) where `offered` has nothing but such; empty where it has something
/// else.
[[nodiscard]] std::string refused_memory(const GstCaps* offered);
/// Why buffers of it are refused, and the element to put before.
[[nodiscard]] std::string refusal_of(std::string_view memory);

}  // namespace reel::gst
