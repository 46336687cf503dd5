// Caps in the form that GStreamer's muxers take. Thread-safe.
#pragma once

#include <gst/gst.h>

namespace record {

/// Puts in what encoders and demuxers leave out: FFV1's version; the headers of FLAC, which demuxers give one
/// by one ("fLaC" is the first), as encoders do: the first one is that of the Ogg mapping
/// (https://xiph.org/flac/ogg_mapping.html), which has "fLaC" and STREAMINFO in it. AAC gets the rate that
/// its configuration says. REQUIRES: `caps` are writable.
void complete_for_file(GstCaps* caps);

}  // namespace record
