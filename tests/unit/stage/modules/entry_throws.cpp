#include <reel/stage/plugin.hpp>

extern "C" REEL_PLUGIN_EXPORT const reel::PluginDescriptor* reel_plugin() {
  throw 7;
}
