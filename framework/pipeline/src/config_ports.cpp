#include "config_parts.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace reel {
namespace {

constexpr std::array<const char*, 9> kInputKeys{"stream",  "port",     "policy", "start",       "every",
                                                "max_fps", "max_pins", "verify", "on_corrupted"};
constexpr std::uint32_t kMostPins = 64;
constexpr std::uint32_t kMostEvery = 1'000'000;

// A map is one input when a key says so, else its keys are ports. Also without `stream`, so that a slip in
// that key is named.
bool is_one_input(const YamlNode& map) {
  return std::any_of(kInputKeys.begin(), kInputKeys.end(),
                     [&](const char* key) { return map.find(key) != nullptr; });
}

InputConfig plain_input(const YamlNode& node, const std::string& port, Problems& problems) {
  InputConfig input;
  input.where = node.where;
  input.stream = node.text;
  input.port = port;
  require_stream_name(input.stream, node.where, problems);
  return input;
}

void read_stream_key(MapReader& map, InputConfig& input) {
  const YamlNode* stream = map.find("stream");
  if (stream == nullptr) {
    map.problems().add(map.node().where, fmt::format("{} needs the key 'stream'", map.what()));
  } else if (stream->kind != YamlNode::Kind::scalar) {
    map.problems().add(stream->where, fmt::format("'stream' of {} must be a stream's name, not {}",
                                                  map.what(), kind_text(stream->kind)));
  } else {
    input.stream = stream->text;
    require_stream_name(input.stream, stream->where, map.problems());
  }
}

void read_choice(MapReader& map, FrameChoice& choice) {
  if (const auto every = map.integer("every", 1, kMostEvery))
    choice.every = static_cast<std::uint32_t>(*every);
  if (const auto rate = map.number("max_fps", kLeastMaxFps, kMostMaxFps)) choice.max_fps = *rate;
  if (choice.every > 1 && choice.max_fps > 0)
    map.problems().add(
        map.node().where,
        fmt::format("{} has both 'every' and 'max_fps': give the one that says which frames it takes",
                    map.what()));
}

InputConfig full_input(const YamlNode& node, const std::string& port, const std::string& what,
                       Problems& problems) {
  InputConfig input;
  input.where = node.where;
  MapReader map(node, fmt::format("an input of {}", what), problems);
  read_stream_key(map, input);
  input.port = map.text("port").value_or(port);
  if (!port.empty() && input.port != port)
    problems.add(node.where,
                 fmt::format("{} gives the port twice, '{}' and '{}'", map.what(), port, input.port));
  if (const auto policy = map.choice("policy", {"lossless", "queue", "latest"}))
    input.policy = std::array{Policy::lossless, Policy::queue, Policy::latest}[*policy];
  if (const auto start = map.choice("start", {"live", "oldest", "keyframe", "resume"}))
    input.start = std::array{Start::live, Start::oldest, Start::keyframe, Start::resume}[*start];
  read_choice(map, input.choice);
  if (const auto pins = map.integer("max_pins", 1, kMostPins))
    input.max_pins = static_cast<std::uint32_t>(*pins);
  if (const auto verify = map.choice("verify", {"always", "never"})) input.verify = *verify == 0;
  if (const auto handling = map.choice("on_corrupted", {"drop", "deliver"}))
    input.deliver_corrupted = *handling == 1;
  input.wait = map.boolean("wait");
  map.finish();
  return input;
}

// A stream's name, a map with `stream`, or a list of those.
void read_input(const YamlNode& node, const std::string& port, const std::string& what, Problems& problems,
                std::vector<InputConfig>& inputs) {
  switch (node.kind) {
    case YamlNode::Kind::scalar: inputs.push_back(plain_input(node, port, problems)); return;
    case YamlNode::Kind::map: inputs.push_back(full_input(node, port, what, problems)); return;
    case YamlNode::Kind::list:
    case YamlNode::Kind::null: break;
  }
  problems.add(node.where,
               fmt::format("an input of {} must be a stream's name or a map with the key 'stream', not {}",
                           what, kind_text(node.kind)));
}

void read_input_or_list(const YamlNode& node, const std::string& port, const std::string& what,
                        Problems& problems, std::vector<InputConfig>& inputs) {
  if (node.kind != YamlNode::Kind::list) return read_input(node, port, what, problems, inputs);
  for (const YamlNode& item : node.items) read_input(item, port, what, problems, inputs);
}

}  // namespace

std::vector<InputConfig> read_inputs(const YamlNode& node, const std::string& what, Problems& problems) {
  std::vector<InputConfig> inputs;
  if (node.kind != YamlNode::Kind::map || is_one_input(node)) {
    read_input_or_list(node, {}, what, problems, inputs);
    return inputs;
  }
  for (const YamlEntry& entry : node.entries) {
    if (!is_free_key(entry.key)) read_input_or_list(entry.value, entry.key, what, problems, inputs);
  }
  return inputs;
}

JoinRule read_join(const YamlNode& node, const std::string& what, Problems& problems) {
  JoinRule join;
  // `join: 20ms` is `join: {tolerance: 20ms}`.
  YamlNode as_map = node;
  if (node.kind == YamlNode::Kind::scalar) {
    as_map = YamlNode{};
    as_map.kind = YamlNode::Kind::map;
    as_map.where = node.where;
    as_map.entries.push_back({"tolerance", node.where, node});
  }
  MapReader map(as_map, fmt::format("'join' of {}", what), problems);
  if (as_map.kind == YamlNode::Kind::map && as_map.find("tolerance") == nullptr)
    problems.add(node.where,
                 fmt::format("{} needs the key 'tolerance': how far apart the times of frames may be "
                             "that belong together, such as 20ms",
                             map.what()));
  join.tolerance_ns = map.duration_ns("tolerance", kLongestJoin_ns).value_or(0);
  if (const auto time = map.choice("time", {"auto", "media", "capture"}))
    join.time = std::array{JoinTime::automatic, JoinTime::media, JoinTime::capture}[*time];
  join.timeout_ns = map.duration_ns("timeout", kLongestJoin_ns).value_or(0);
  map.finish();
  return join;
}

std::vector<OutputConfig> read_outputs(const YamlNode& node, const std::string& what, Problems& problems) {
  std::vector<OutputConfig> outputs;
  const auto add = [&](const YamlNode& value, const std::string& port) {
    if (value.kind != YamlNode::Kind::scalar) {
      problems.add(
          value.where,
          fmt::format("'out' of {} must be a stream's name, a list of them or a map of port to those, not {}",
                      what, kind_text(value.kind)));
      return;
    }
    require_stream_name(value.text, value.where, problems);
    outputs.push_back({value.where, value.text, port});
  };
  const auto add_all = [&](const YamlNode& value, const std::string& port) {
    if (value.kind != YamlNode::Kind::list) return add(value, port);
    for (const YamlNode& item : value.items) add(item, port);
  };
  if (node.kind != YamlNode::Kind::map) {
    add_all(node, {});
    return outputs;
  }
  for (const YamlEntry& entry : node.entries) {
    if (!is_free_key(entry.key)) add_all(entry.value, entry.key);
  }
  return outputs;
}

}  // namespace reel
