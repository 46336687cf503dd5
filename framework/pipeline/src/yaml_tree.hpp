// A YAML document as a plain tree in which every key and value knows its line; anchors and merge keys are
// already resolved. The only place that sees yaml-cpp. Pure.
#pragma once

#include "problems.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;                // of a scalar
  bool literal = false;            // variables are not filled in: it came from the command line
  std::string where;               // "faces.yaml:12"
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the file's order, no key twice

  [[nodiscard]] const YamlEntry* find_entry(std::string_view key) const noexcept;
  /// The value of `key` in a map; nullptr when there is none.
  [[nodiscard]] const YamlNode* find(std::string_view key) const noexcept;
  [[nodiscard]] YamlNode* find(std::string_view key) noexcept;
};

struct YamlEntry {
  std::string key;
  std::string where;
  YamlNode value;
};

/// "a list", for messages.
[[nodiscard]] std::string_view kind_text(YamlNode::Kind kind) noexcept;

/// Keys beginning with "x-" are the author's own.
[[nodiscard]] inline bool is_free_key(std::string_view key) noexcept {
  return key.starts_with("x-");
}

/// Reads one document. Duplicate keys are added to `problems`; anything after which reading cannot go on
/// throws Error{bad_config} (syntax, several documents, nothing at all, keys that are no text, aliases that
/// multiply beyond kMaxYamlNodes).
[[nodiscard]] YamlNode parse_yaml(const std::string& text, const std::string& file, Problems& problems);

inline constexpr std::size_t kMaxYamlNodes = 20'000;

}  // namespace reel
