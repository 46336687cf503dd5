// Declares another ABI, and nothing behind that word means what this build thinks it means.
#include <cstdint>
#include <cstring>

#include <reel/stage/plugin.hpp>

extern "C" REEL_PLUGIN_EXPORT const reel::PluginDescriptor* reel_plugin() {
  alignas(reel::PluginDescriptor) static unsigned char bytes[sizeof(reel::PluginDescriptor)];
  std::memset(bytes, 0xa5, sizeof bytes);
  const std::uint32_t abi = 999;
  std::memcpy(bytes, &abi, sizeof abi);
  return reinterpret_cast<const reel::PluginDescriptor*>(bytes);
}
