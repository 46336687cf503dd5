#include "graph_ports.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include <reel/base/text.hpp>

namespace reel {
namespace {

std::vector<std::string> port_names(std::span<const PortSpec> ports) {
  std::vector<std::string> names;
  for (const PortSpec& port : ports) names.emplace_back(port.name);
  return names;
}

std::string stage_text(const DraftStage& stage) {
  return fmt::format("stage '{}' ({})", stage.config->name, stage.config->use);
}

const PortSpec* find_port(std::span<const PortSpec> ports, const std::string& name) {
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&](const PortSpec& port) { return name == port.name; });
  return found == ports.end() ? nullptr : &*found;
}

bool taken(const std::vector<std::string>& ports, const std::string& name) {
  return std::find(ports.begin(), ports.end(), name) != ports.end();
}

std::string no_such_port(const DraftStage& stage, const char* direction, const std::string& name,
                         std::span<const PortSpec> ports) {
  const auto names = port_names(ports);
  return fmt::format("{} has no {} port '{}'{} (its {} ports: {})", stage_text(stage), direction, name,
                     did_you_mean(name, names), direction, join_comma(names));
}

void require_connected(const DraftStage& stage, std::span<const PortSpec> ports,
                       const std::vector<std::string>& connected, const char* key, Problems& problems) {
  for (const PortSpec& port : ports) {
    if (!port.required || taken(connected, port.name)) continue;
    problems.add(stage.config->where,
                 fmt::format("{} needs a stream at its port '{}' ({}: {}): give it under '{}'",
                             stage_text(stage), port.name, media_text(port.media), port.help, key));
  }
}

std::size_t place_of(const std::vector<std::string>& ports, const std::string& name) {
  return static_cast<std::size_t>(std::find(ports.begin(), ports.end(), name) - ports.begin());
}

// The port that is named, when it exists, is free and takes the media; else a problem.
std::string named_input(const DraftStage& stage, const InputConfig& input, std::span<const PortSpec> ports,
                        std::uint32_t media, Problems& problems) {
  const PortSpec* port = find_port(ports, input.port);
  if (port == nullptr) {
    problems.add(input.where, no_such_port(stage, "input", input.port, ports));
  } else if (!port->many && taken(stage.input_ports, input.port)) {
    problems.add(input.where, fmt::format("input port '{}' of {} takes one stream, and has one already",
                                          input.port, stage_text(stage)));
  } else if ((port->media & media) == 0) {
    problems.add(input.where,
                 fmt::format("input port '{}' of {} takes {}; stream '{}' carries {}", input.port,
                             stage_text(stage), media_text(port->media), input.stream, media_text(media)));
  }
  return input.port;
}

std::string free_input(const DraftStage& stage, const InputConfig& input, std::span<const PortSpec> ports,
                       std::uint32_t media, Problems& problems) {
  bool any_free = false;
  for (const PortSpec& port : ports) {
    if (!port.many && taken(stage.input_ports, port.name)) continue;
    any_free = true;
    if ((port.media & media) != 0) return port.name;
  }
  if (ports.empty()) {
    problems.add(input.where, fmt::format("{} reads no streams", stage_text(stage)));
  } else if (!any_free) {
    problems.add(input.where, fmt::format("no input port of {} is left for stream '{}' (its input ports: {})",
                                          stage_text(stage), input.stream, join_comma(port_names(ports))));
  } else {
    std::uint32_t taken_media = 0;
    for (const PortSpec& port : ports) taken_media |= port.media;
    problems.add(input.where, fmt::format("{} takes {}; stream '{}' carries {}", stage_text(stage),
                                          media_text(taken_media), input.stream, media_text(media)));
  }
  return {};
}

std::uint32_t media_of(const StreamMedia& media, const std::string& stream) {
  const auto found = media.find(stream);
  return found == media.end() ? static_cast<std::uint32_t>(kTakesAny) : found->second;
}

}  // namespace

std::uint32_t input_media(const DraftStage& stage, std::size_t input) {
  if (stage.plugin == nullptr) return kTakesAny;
  const PortSpec* port =
      find_port({stage.plugin->inputs, stage.plugin->input_count}, stage.input_ports.at(input));
  return port == nullptr ? static_cast<std::uint32_t>(kTakesAny) : port->media;
}

std::string media_text(std::uint32_t media) {
  if ((media & kTakesAny) == kTakesAny) return "any media";
  std::vector<std::string> kinds;
  if ((media & kTakesVideo) != 0) kinds.emplace_back("video");
  if ((media & kTakesAudio) != 0) kinds.emplace_back("audio");
  if ((media & kTakesEncoded) != 0) kinds.emplace_back("encoded media");
  if ((media & kTakesBytes) != 0) kinds.emplace_back("bytes");
  return join_or(kinds);
}

void connect_outputs(DraftStage& stage, StreamMedia& media, Problems& problems) {
  const auto& outputs = stage.config->outputs;
  if (stage.plugin == nullptr) {
    for (const OutputConfig& output : outputs)
      stage.output_ports.push_back(output.port.empty() ? "out" : output.port);
    return;
  }
  const std::span<const PortSpec> ports(stage.plugin->outputs, stage.plugin->output_count);
  const std::size_t before = problems.count();
  for (const OutputConfig& output : outputs) {
    const PortSpec* port =
        output.port.empty() && !ports.empty() ? &ports.front() : find_port(ports, output.port);
    if (port != nullptr) {
      if (!port->many && taken(stage.output_ports, port->name))
        problems.add(
            output.where,
            fmt::format("output port '{}' of {} gives one stream, and gives '{}' already", port->name,
                        stage_text(stage), outputs[place_of(stage.output_ports, port->name)].stream));
      stage.output_ports.emplace_back(port->name);
      media[output.stream] = port->media;
      continue;
    }
    stage.output_ports.push_back(output.port);
    problems.add(output.where, ports.empty() ? fmt::format("{} writes no streams", stage_text(stage))
                                             : no_such_port(stage, "output", output.port, ports));
  }
  // After a slip in a port's name, that the right one is left over says nothing new.
  if (problems.count() == before) require_connected(stage, ports, stage.output_ports, "out", problems);
}

void connect_inputs(DraftStage& stage, const StreamMedia& media, Problems& problems) {
  const auto& inputs = stage.config->inputs;
  if (stage.plugin == nullptr) {
    for (const InputConfig& input : inputs)
      stage.input_ports.push_back(input.port.empty() ? "in" : input.port);
    return;
  }
  const std::span<const PortSpec> ports(stage.plugin->inputs, stage.plugin->input_count);
  const std::size_t before = problems.count();
  stage.input_ports.assign(inputs.size(), {});
  // Those with a name first: what is left is for the others.
  for (const bool named : {true, false}) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].port.empty() == named) continue;
      const std::uint32_t carried = media_of(media, inputs[i].stream);
      stage.input_ports[i] = named ? named_input(stage, inputs[i], ports, carried, problems)
                                   : free_input(stage, inputs[i], ports, carried, problems);
    }
  }
  if (problems.count() == before) require_connected(stage, ports, stage.input_ports, "in", problems);
}

}  // namespace reel
