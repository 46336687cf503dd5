#include "config_parts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace reel {
namespace {

void read_serve(MapReader& map, PipelineConfig& config) {
  const auto text = map.text("serve");
  if (!text) return;
  try {
    config.serve = listen_address_from(*text);
  } catch (const Error& error) {
    map.problems().add(map.node().find("serve")->where, fmt::format("'serve': {}", error.message()));
  }
}

std::vector<std::string> stage_names(const PipelineConfig& config) {
  std::vector<std::string> names;
  for (const StageConfig& stage : config.stages) names.push_back(stage.name);
  return names;
}

void read_ignored(const YamlNode& node, const PipelineConfig& config, Problems& problems,
                  std::vector<std::string>& ignored) {
  const std::vector<std::string> names = stage_names(config);
  const std::vector<YamlNode> single{node};
  for (const YamlNode& item : node.kind == YamlNode::Kind::list ? node.items : single) {
    if (item.kind == YamlNode::Kind::scalar &&
        std::find(names.begin(), names.end(), item.text) != names.end()) {
      ignored.push_back(item.text);
      continue;
    }
    problems.add(item.where, fmt::format("'ignore' of 'health' is a stage or a list of stages, which are {}",
                                         join_or(names)));
  }
}

}  // namespace

void read_service(MapReader& map, PipelineConfig& config) {
  read_serve(map, config);
  const YamlNode* node = map.find("health");
  if (node == nullptr) return;
  MapReader health(*node, "'health'", map.problems());
  if (const auto stall = health.duration_ms("stall_timeout")) config.health.stall_timeout_ms = *stall;
  if (config.health.stall_timeout_ms == 0)
    map.problems().add(node->where, "'stall_timeout' of 'health' is 0: no stage could keep to it");
  if (const YamlNode* ignored = health.find("ignore"))
    read_ignored(*ignored, config, map.problems(), config.health.ignored);
  if (const auto watchdog = health.choice("watchdog", {"supervisor", "frames"}))
    config.health.watchdog_wants_frames = *watchdog == 1;
  health.finish();
}

}  // namespace reel
