#include "fake_catalog.hpp"

#include <array>

#include <reel/base/error.hpp>

namespace reel {
namespace {

constexpr std::array<PortSpec, 2> kCameraOut{
    {{"video", kTakesVideo, "pictures"}, {"audio", kTakesAudio, "sound", false}}};
constexpr std::array<PortSpec, 1> kVideo{{{"in", kTakesVideo, "pictures"}}};
constexpr std::array<PortSpec, 1> kVideoOut{{{"out", kTakesVideo, "pictures"}}};
constexpr std::array<PortSpec, 1> kAudio{{{"in", kTakesAudio, "sound"}}};
constexpr std::array<PortSpec, 1> kAudioOut{{{"out", kTakesAudio, "sound", false}}};
constexpr std::array<PortSpec, 2> kMix{
    {{"picture", kTakesVideo, "pictures"}, {"sound", kTakesAudio, "sound", false}}};
constexpr std::array<PortSpec, 1> kMany{{{"in", kTakesAny, "anything", true, true}}};
constexpr std::array<PortSpec, 1> kManyOut{{{"out", kTakesVideo, "pictures", true, true}}};
constexpr std::array<OptionSpec, 2> kCameraOptions{
    {{"uri", OptionType::text, "test://", "what to open"},
     {"width", OptionType::integer, "64", "pixels", "1..4096"}}};

template <std::size_t Inputs, std::size_t Outputs, std::size_t Count>
constexpr PluginDescriptor plugin(const char* name, const std::array<PortSpec, Inputs>& inputs,
                                  const std::array<PortSpec, Outputs>& outputs,
                                  const std::array<OptionSpec, Count>& options) {
  return {kPluginAbi, name,           "",    inputs.data(), Inputs, outputs.data(),
          Outputs,    options.data(), Count, nullptr};
}

constexpr std::array<PluginDescriptor, 6> kPlugins{{
    plugin("camera", no_ports, kCameraOut, kCameraOptions),
    plugin("filter", kVideo, kVideoOut, no_options),
    plugin("level", kAudio, kAudioOut, no_options),
    plugin("mix", kMix, no_ports, no_options),
    plugin("show", kMany, no_ports, no_options),
    plugin("player", no_ports, kManyOut, no_options),
}};

}  // namespace

PluginCatalog::Entry FakeCatalog::find(const std::string& name) {
  for (const PluginDescriptor& plugin : kPlugins) {
    if (name == plugin.name) return {&plugin, "/plugins/" + name + ".so"};
  }
  throw Error(ErrorCode::not_found, "there is no plugin \"" + name + "\"");
}

Graph graph_of(const std::string& text) {
  FakeCatalog catalog;
  return build_graph(parse_pipeline(text, "p.yaml"), catalog);
}

}  // namespace reel
