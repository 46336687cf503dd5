// reelsrc: a stream as a GStreamer source. GObject type; the work is in Source (source.hpp).
#pragma once

#include <gst/gst.h>

namespace reel::gst {

[[nodiscard]] GType reel_src_get_type();

}  // namespace reel::gst
