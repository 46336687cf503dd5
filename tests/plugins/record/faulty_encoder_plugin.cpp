// The faulty encoder as a plugin of GStreamer, for recorders in processes of their own.
#include "faulty_encoder.hpp"

namespace {

gboolean plugin_init(GstPlugin* plugin) {
  return reel_test::register_faulty_encoder(plugin, "vah264enc", "x264enc") ? TRUE : FALSE;
}

}  // namespace

#define PACKAGE "reel"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, reelfaulty, "An encoder that fails as tests want it",
                  plugin_init, "1.0", "Apache 2.0", "Reel", "Reel")
