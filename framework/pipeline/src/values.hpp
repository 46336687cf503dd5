// Typed values out of a YAML tree: numbers, durations, sizes, choices, and maps whose keys are known. A wrong
// one is added to the problems and reads as "not given". Single-thread.
#pragma once

#include "problems.hpp"
#include "yaml_tree.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

/// Looks keys of one map up, and reports those that nobody looked up.
class MapReader {
 public:
  /// `what` names the map in messages: "stream 'camera'". A node that is no map is a problem, nothing at all
  /// an empty map.
  MapReader(const YamlNode& node, std::string what, Problems& problems);

  /// nullptr when it is not there. A key that is there without a value is a problem, and counts as not there.
  [[nodiscard]] const YamlNode* find(const std::string& key);
  /// The same for a key that may stand without a value: then it counts as not there.
  [[nodiscard]] const YamlNode* find_optional(const std::string& key);

  /// Reports unknown keys; to be called after the last find().
  void finish();

  [[nodiscard]] const std::string& what() const noexcept { return what_; }
  [[nodiscard]] const YamlNode& node() const noexcept { return node_; }
  [[nodiscard]] Problems& problems() noexcept { return problems_; }

  // `key` converted, or nullopt when it is not there or wrong.
  [[nodiscard]] std::optional<std::string> text(const std::string& key);
  [[nodiscard]] std::optional<std::int64_t> integer(const std::string& key, std::int64_t least,
                                                    std::int64_t most);
  [[nodiscard]] std::optional<double> number(const std::string& key, double least, double most);
  [[nodiscard]] std::optional<bool> boolean(const std::string& key);
  /// Milliseconds: "2s", "500ms", "1.5min", or a bare number of seconds.
  [[nodiscard]] std::optional<int> duration_ms(const std::string& key);
  /// Nanoseconds: the same, and "500us".
  [[nodiscard]] std::optional<std::int64_t> duration_ns(const std::string& key, std::int64_t most);
  /// Bytes: "4096", "4 kB" (1000), "4 KiB" (1024), MB, MiB, GB, GiB.
  [[nodiscard]] std::optional<std::uint64_t> bytes(const std::string& key, std::uint64_t most);
  /// Index of the text among `choices`.
  [[nodiscard]] std::optional<std::size_t> choice(const std::string& key,
                                                  const std::vector<std::string>& choices);

 private:
  void know(const std::string& key);
  [[nodiscard]] const YamlNode* scalar(const std::string& key, std::string_view wanted);
  void refuse(const YamlNode& node, const std::string& key, std::string_view wanted);

  const YamlNode& node_;
  std::string what_;
  Problems& problems_;
  std::vector<std::string> known_;
};

// The same from text alone; nullopt when it is none.
[[nodiscard]] std::optional<std::int64_t> integer_from(std::string_view text);
[[nodiscard]] std::optional<double> number_from(std::string_view text);

}  // namespace reel
