// libgstreel.so as GStreamer loads it.
#include <gst/gst.h>

#include "device_provider.hpp"
#include "reel_sink.hpp"
#include "reel_src.hpp"

#define PACKAGE "reel"

namespace {

// GStreamer may come with libunwind, which unwinds our exceptions too and opens a pipe at the first one: when
// that is thrown because there are no descriptors left, the process would be ended instead. So the first is
// now. (In programs that are not of C++, as gst-launch-1.0 is not: those of C++, Reel's among them, have
// libgcc's unwinder in front of it.)
void prepare_to_throw() {
  try {
    throw 0;
  } catch (int) {
    return;
  }
}

gboolean init(GstPlugin* plugin) {
  prepare_to_throw();
  const gboolean sink =
      gst_element_register(plugin, "reelsink", GST_RANK_NONE, reel::gst::reel_sink_get_type());
  const gboolean source =
      gst_element_register(plugin, "reelsrc", GST_RANK_PRIMARY, reel::gst::reel_src_get_type());
  const gboolean devices = gst_device_provider_register(plugin, "reeldeviceprovider", GST_RANK_PRIMARY,
                                                        reel::gst::device_provider_get_type());
  return static_cast<gboolean>(sink != FALSE && source != FALSE && devices != FALSE);
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, reel, "Frames between processes without a copy", init,
                  REEL_VERSION, "Apache 2.0", "Reel", "Reel")
