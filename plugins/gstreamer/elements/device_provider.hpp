// Lists live streams to gst-device-monitor and everything else that asks GStreamer for sources.
#pragma once

#include <gst/gst.h>

namespace reel::gst {

[[nodiscard]] GType device_provider_get_type();

}  // namespace reel::gst
