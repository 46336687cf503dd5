// reelsink: a stream as a GStreamer sink. GObject type; the work is in Sink (sink.hpp).
#pragma once

#include <gst/gst.h>

namespace reel::gst {

[[nodiscard]] GType reel_sink_get_type();

}  // namespace reel::gst
