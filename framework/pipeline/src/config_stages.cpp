#include "config_parts.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace reel {
namespace {

constexpr int kMostCpus = 1024;
constexpr std::uint32_t kMostRestarts = 1'000'000;

std::optional<OptionValue> option_value(const YamlEntry& entry, const std::string& what, Problems& problems) {
  const std::string& name = entry.key;
  const YamlNode& node = entry.value;
  OptionValue value;
  value.where = node.where;
  if (node.kind == YamlNode::Kind::scalar) {
    value.text = node.text;
    return value;
  }
  if (node.kind == YamlNode::Kind::null) {
    problems.add(entry.where, fmt::format("option '{}' of {} has no value", name, what));
    return std::nullopt;
  }
  value.is_list = true;
  const bool texts = std::all_of(node.items.begin(), node.items.end(),
                                 [](const YamlNode& item) { return item.kind == YamlNode::Kind::scalar; });
  if (node.kind != YamlNode::Kind::list || !texts) {
    problems.add(
        node.where,
        fmt::format("option '{}' of {} must be a value or a list of values, not {}", name, what,
                    node.kind == YamlNode::Kind::list ? "a list of something else" : kind_text(node.kind)));
    return std::nullopt;
  }
  for (const YamlNode& item : node.items) value.items.push_back(item.text);
  return value;
}

std::map<std::string, OptionValue> read_options(const YamlNode* node, const std::string& what,
                                                Problems& problems) {
  std::map<std::string, OptionValue> options;
  if (node == nullptr) return options;
  const MapReader check(*node, fmt::format("'options' of {}", what), problems);
  for (const YamlEntry& entry : node->entries) {
    if (is_free_key(entry.key)) continue;
    if (auto value = option_value(entry, what, problems)) options.emplace(entry.key, std::move(*value));
  }
  return options;
}

RestartRule read_restart(MapReader& map) {
  RestartRule rule;
  if (const auto when = map.choice("restart", {"never", "on-failure", "always"}))
    rule.when = std::array{Restart::never, Restart::on_failure, Restart::always}[*when];
  if (const auto limit = map.integer("restart_limit", 0, kMostRestarts))
    rule.limit = static_cast<std::uint32_t>(*limit);
  if (const auto window = map.duration_ms("restart_window")) rule.window_ms = *window;
  if (const auto first = map.duration_ms("restart_delay")) rule.first_delay_ms = *first;
  if (const auto longest = map.duration_ms("restart_delay_max")) rule.longest_delay_ms = *longest;
  return rule;
}

std::vector<int> read_cpus(MapReader& map) {
  std::vector<int> cpus;
  const YamlNode* node = map.find("cpus");
  if (node == nullptr) return cpus;
  const std::vector<YamlNode> single{*node};
  for (const YamlNode& item : node->kind == YamlNode::Kind::list ? node->items : single) {
    const auto cpu = item.kind == YamlNode::Kind::scalar ? integer_from(item.text) : std::nullopt;
    if (!cpu || *cpu < 0 || *cpu >= kMostCpus) {
      map.problems().add(
          item.where,
          fmt::format("'cpus' of {} must be a list of processor numbers from 0 to {}, such as [0, 1]",
                      map.what(), kMostCpus - 1));
      continue;
    }
    cpus.push_back(static_cast<int>(*cpu));
  }
  return cpus;
}

std::map<std::string, std::string> read_environment(MapReader& map) {
  std::map<std::string, std::string> environment;
  const YamlNode* node = map.find("environment");
  if (node == nullptr) return environment;
  const MapReader check(*node, fmt::format("'environment' of {}", map.what()), map.problems());
  for (const YamlEntry& entry : node->entries) {
    if (is_free_key(entry.key)) continue;
    if (entry.key.empty() || entry.key.find('=') != std::string::npos ||
        entry.value.kind != YamlNode::Kind::scalar) {
      map.problems().add(
          entry.where,
          fmt::format("'environment' of {} must give each variable one value: NAME: value", map.what()));
      continue;
    }
    environment[entry.key] = entry.value.text;
  }
  return environment;
}

void read_use(MapReader& map, StageConfig& stage) {
  const YamlNode* use = map.find("use");
  if (use == nullptr) {
    if (map.node().find("use") == nullptr)
      map.problems().add(
          stage.where,
          fmt::format("{} needs the key 'use': a plugin's name (see `reel plugins`), exec or gst",
                      map.what()));
    return;
  }
  stage.use_where = use->where;
  stage.use = map.text("use").value_or("");
}

StageConfig read_stage(const YamlEntry& entry, Problems& problems) {
  StageConfig stage;
  stage.where = entry.where;
  stage.name = entry.key;
  MapReader map(entry.value, fmt::format("stage '{}'", entry.key), problems);
  read_use(map, stage);
  stage.options = read_options(map.find_optional("options"), map.what(), problems);
  if (const YamlNode* in = map.find("in")) stage.inputs = read_inputs(*in, map.what(), problems);
  if (const YamlNode* out = map.find("out")) stage.outputs = read_outputs(*out, map.what(), problems);
  if (const YamlNode* join = map.find("join")) {
    stage.join = read_join(*join, map.what(), problems);
    stage.join_where = join->where;
  }
  stage.restart = read_restart(map);
  if (const auto hang = map.duration_ms("hang_timeout")) stage.hang_timeout_ms = *hang;
  stage.cpus = read_cpus(map);
  stage.nice = static_cast<int>(map.integer("nice", -20, 19).value_or(0));
  stage.environment = read_environment(map);
  map.finish();
  return stage;
}

}  // namespace

bool valid_part_name(std::string_view name) noexcept {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 32 || !alphanumeric(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return alphanumeric(c) || c == '_' || c == '-'; });
}

std::vector<StageConfig> read_stages(const YamlNode& node, Problems& problems) {
  std::vector<StageConfig> stages;
  const MapReader check(node, "'stages'", problems);
  for (const YamlEntry& entry : node.entries) {
    if (is_free_key(entry.key)) continue;
    if (!valid_part_name(entry.key))
      problems.add(entry.where, fmt::format("'{}' is no stage name: {}", entry.key, kPartNameRule));
    if (entry.key == "streams" || entry.key == "stages")
      problems.add(entry.where, fmt::format("a stage cannot be named '{}': --set {}.... means another thing",
                                            entry.key, entry.key));
    stages.push_back(read_stage(entry, problems));
  }
  return stages;
}

}  // namespace reel
