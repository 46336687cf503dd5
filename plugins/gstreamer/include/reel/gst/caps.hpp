// GstCaps to and from reel::Format, by way of the caps text: what Reel does not interpret (colorimetry,
// stream-format, alignment, channel masks) stays in the text. Thread-safe; gst_init() was called.
#pragma once

#include <gst/gst.h>

#include <reel/format/format.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {

/// REQUIRES: fixed caps. codec_data (and OpusHead out of `streamheader`) becomes EncodedFormat::codec_data
/// and leaves the text; other buffers that caps carry are left out of the text too. Throws
/// Error{bad_argument} naming the field that is missing or out of range.
[[nodiscard]] Format format_from_caps(const GstCaps* caps);

/// The way back, codec data included. Throws Error{bad_argument} for text that GStreamer cannot parse.
[[nodiscard]] Ptr<GstCaps> caps_from_format(const Format& format);

}  // namespace reel::gst
