#include "overrides.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

struct Override {
  std::vector<std::string> path;  // of keys from the root
  std::string value;
  std::string where;
};

constexpr std::string_view kForms =
    "write stage.option=value, streams.NAME.key=value or stages.NAME.key=value";

// nullopt, and a problem, when it has none of the three forms.
std::optional<Override> parse_override(const std::string& text, Problems& problems) {
  const std::string where = fmt::format("--set {}", text);
  const std::size_t equals = text.find('=');
  const std::string left = text.substr(0, equals);
  const std::size_t first = left.find('.');
  const std::size_t last = left.rfind('.');
  if (equals == std::string::npos || first == std::string::npos || first == 0 || last + 1 == left.size()) {
    problems.add(where, std::string(kForms));
    return std::nullopt;
  }
  const std::string head = left.substr(0, first);
  Override result{{}, text.substr(equals + 1), where};
  if (head != "streams" && head != "stages") {
    result.path = {"stages", head, "options", left.substr(first + 1)};
  } else if (first != last) {
    // A stream's name may hold dots, a key does not.
    result.path = {head, left.substr(first + 1, last - first - 1), left.substr(last + 1)};
  } else {
    problems.add(where, std::string(kForms));
    return std::nullopt;
  }
  return result;
}

void mark_literal(YamlNode& node, const std::string& where) {
  node.literal = true;
  node.where = where;
  for (YamlNode& item : node.items) mark_literal(item, where);
  for (YamlEntry& entry : node.entries) {
    entry.where = where;
    mark_literal(entry.value, where);
  }
}

YamlNode value_node(const Override& change, Problems& problems) {
  YamlNode node;
  if (change.value.starts_with('[') || change.value.starts_with('{')) {
    try {
      node = parse_yaml(change.value, change.where, problems);
    } catch (const Error& error) {
      throw Error(ErrorCode::bad_config,
                  fmt::format("'{}' cannot be read as a list or map: {}", change.value, error.message()),
                  change.where);
    }
  } else {
    node.kind = YamlNode::Kind::scalar;
    node.text = change.value;
  }
  mark_literal(node, change.where);
  return node;
}

std::vector<std::string> keys_of(const YamlNode& map) {
  std::vector<std::string> keys;
  for (const YamlEntry& entry : map.entries) {
    if (!is_free_key(entry.key)) keys.push_back(entry.key);
  }
  return keys;
}

// The map below `parent` by that key, made when it is not there; nullptr when something else stands in its
// place, which the checks that follow will say.
YamlNode* child_map(YamlNode& parent, const std::string& key, const std::string& where) {
  YamlNode* child = parent.find(key);
  if (child == nullptr) {
    parent.entries.push_back({key, where, YamlNode{}});
    child = &parent.entries.back().value;
  }
  if (child->kind == YamlNode::Kind::null) {
    child->kind = YamlNode::Kind::map;
    child->where = where;
  }
  return child->kind == YamlNode::Kind::map ? child : nullptr;
}

void apply(YamlNode& root, const Override& change, Problems& problems) {
  YamlNode* map = &root;
  for (std::size_t i = 0; i + 1 < change.path.size(); ++i) {
    const std::string& key = change.path[i];
    if (i == 1 && change.path[0] == "stages" && map->find(key) == nullptr) {
      const std::vector<std::string> stages = keys_of(*map);
      problems.add(change.where, fmt::format("there is no stage '{}'{} (stages: {})", key,
                                             did_you_mean(key, stages), join_comma(stages)));
      return;
    }
    map = child_map(*map, key, change.where);
    if (map == nullptr) return;
  }
  YamlNode value = value_node(change, problems);
  if (YamlNode* present = map->find(change.path.back())) {
    *present = std::move(value);
  } else {
    map->entries.push_back({change.path.back(), change.where, std::move(value)});
  }
}

}  // namespace

void apply_overrides(YamlNode& root, const std::vector<std::string>& overrides, Problems& problems) {
  for (const std::string& text : overrides) {
    if (const auto change = parse_override(text, problems)) apply(root, *change, problems);
  }
}

}  // namespace reel
