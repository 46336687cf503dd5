// Raw video in formats that Reel has no number for travels with its caps alone: its planes have to lie where
// GStreamer looks for them when no meta says otherwise. Thread-safe.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/channel/frame_writer.hpp>

namespace reel::gst {

/// The planes lie as `info` says, from the first byte, and the picture is not cropped.
[[nodiscard]] bool in_default_layout(GstBuffer* buffer, const GstVideoInfo& info) noexcept;

/// Row by row. REQUIRES: `loan` holds info.size bytes. Throws Error{bad_argument} for a buffer that is
/// smaller than its caps say, or cropped where pixels are not whole bytes.
void copy_to_default_layout(GstBuffer* buffer, const GstVideoInfo& info, Loan& loan);

}  // namespace reel::gst
