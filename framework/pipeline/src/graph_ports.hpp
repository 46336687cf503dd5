// Which port of its plugin each stream of a stage is connected to. Mistakes go to the problems.
// Single-thread.
#pragma once

#include "problems.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <reel/pipeline/graph.hpp>

namespace reel {

/// A stage while its graph is being built.
struct DraftStage {
  const StageConfig* config = nullptr;
  const PluginDescriptor* plugin = nullptr;  // of a plugin stage that was found
  bool exec = false;
  bool gst = false;
  std::string path;                            // of the module
  std::vector<std::string> command;            // of an exec stage
  std::map<std::string, OptionValue> options;  // its process's: of an exec stage none
  std::vector<std::string> input_ports,
      output_ports;  // as in config->inputs and outputs; empty where none was found
};

/// PortMedia bits by stream, from the outputs of all stages.
using StreamMedia = std::map<std::string, std::uint32_t>;

/// Fills output_ports, and adds to `media`.
void connect_outputs(DraftStage& stage, StreamMedia& media, Problems& problems);

/// Fills input_ports. An input without a port gets the first that is free and takes the stream's media.
void connect_inputs(DraftStage& stage, const StreamMedia& media, Problems& problems);

/// PortMedia bits of an input that connect_inputs() has connected; any for a program's.
[[nodiscard]] std::uint32_t input_media(const DraftStage& stage, std::size_t input);

/// "video or audio"
[[nodiscard]] std::string media_text(std::uint32_t media);

}  // namespace reel
