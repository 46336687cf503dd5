#include "values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

namespace reel {
std::optional<std::int64_t> integer_from(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> number_from(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

MapReader::MapReader(const YamlNode& node, std::string what, Problems& problems)
    : node_(node), what_(std::move(what)), problems_(problems) {
  if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::null)
    problems_.add(node.where, fmt::format("{} must be a map of keys, not {}", what_, kind_text(node.kind)));
}

void MapReader::know(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
}

const YamlNode* MapReader::find(const std::string& key) {
  know(key);
  const YamlEntry* entry = node_.find_entry(key);
  if (entry == nullptr) return nullptr;
  if (entry->value.kind != YamlNode::Kind::null) return &entry->value;
  // The key's own place: what is missing may seem to stand lines below it.
  problems_.add(entry->where, fmt::format("'{}' of {} has no value", key, what_));
  return nullptr;
}

const YamlNode* MapReader::find_optional(const std::string& key) {
  const YamlNode* value = node_.find(key);
  if (value == nullptr || value->kind != YamlNode::Kind::null) return find(key);
  know(key);
  return nullptr;
}

void MapReader::finish() {
  for (const YamlEntry& entry : node_.entries) {
    if (is_free_key(entry.key) || std::find(known_.begin(), known_.end(), entry.key) != known_.end())
      continue;
    problems_.add(entry.where, fmt::format("{} has no key '{}'{} (allowed: {}; x-... for your own)", what_,
                                           entry.key, did_you_mean(entry.key, known_), join_comma(known_)));
  }
}

void MapReader::refuse(const YamlNode& node, const std::string& key, std::string_view wanted) {
  const std::string got = node.kind == YamlNode::Kind::scalar ? fmt::format("'{}'", node.text)
                                                              : std::string(kind_text(node.kind));
  problems_.add(node.where, fmt::format("'{}' of {} is {}: it must be {}", key, what_, got, wanted));
}

const YamlNode* MapReader::scalar(const std::string& key, std::string_view wanted) {
  const YamlNode* value = find(key);
  if (value == nullptr || value->kind == YamlNode::Kind::scalar) return value;
  refuse(*value, key, wanted);
  return nullptr;
}

std::optional<std::string> MapReader::text(const std::string& key) {
  const YamlNode* value = scalar(key, "a text");
  if (value == nullptr) return std::nullopt;
  return value->text;
}

std::optional<std::int64_t> MapReader::integer(const std::string& key, std::int64_t least,
                                               std::int64_t most) {
  const std::string wanted = fmt::format("a whole number from {} to {}", least, most);
  const YamlNode* value = scalar(key, wanted);
  if (value == nullptr) return std::nullopt;
  const auto number = integer_from(value->text);
  if (number && *number >= least && *number <= most) return number;
  refuse(*value, key, wanted);
  return std::nullopt;
}

std::optional<double> MapReader::number(const std::string& key, double least, double most) {
  const std::string wanted = fmt::format("a number from {} to {}", least, most);
  const YamlNode* value = scalar(key, wanted);
  if (value == nullptr) return std::nullopt;
  const auto number = number_from(value->text);
  if (number && *number >= least && *number <= most) return number;
  refuse(*value, key, wanted);
  return std::nullopt;
}

std::optional<bool> MapReader::boolean(const std::string& key) {
  const auto index = choice(key, {"true", "false"});
  if (!index) return std::nullopt;
  return *index == 0;
}

std::optional<int> MapReader::duration_ms(const std::string& key) {
  static constexpr std::string_view kWanted = "a duration such as 2s, 500ms, 1.5min or a number of seconds";
  const YamlNode* value = scalar(key, kWanted);
  if (value == nullptr) return std::nullopt;
  const auto duration = duration_from(value->text);
  if (!duration || *duration / 1'000'000 > std::numeric_limits<int>::max()) {
    refuse(*value, key, kWanted);
    return std::nullopt;
  }
  return static_cast<int>(std::llround(static_cast<double>(*duration) / 1e6));
}

std::optional<std::int64_t> MapReader::duration_ns(const std::string& key, std::int64_t most) {
  const std::string wanted = fmt::format(
      "a duration such as 20ms, 500us, 1.5s or a number of seconds, up to {} s", most / 1'000'000'000);
  const YamlNode* value = scalar(key, wanted);
  if (value == nullptr) return std::nullopt;
  const auto duration = duration_from(value->text);
  if (duration && *duration <= most) return duration;
  refuse(*value, key, wanted);
  return std::nullopt;
}

std::optional<std::uint64_t> MapReader::bytes(const std::string& key, std::uint64_t most) {
  const std::string wanted =
      fmt::format("a number of bytes (or with kB, MB, GB, KiB, MiB, GiB) up to {}", most);
  const YamlNode* value = scalar(key, wanted);
  if (value == nullptr) return std::nullopt;
  const auto size = size_from(value->text);
  if (size && *size <= most) return size;
  refuse(*value, key, wanted);
  return std::nullopt;
}

std::optional<std::size_t> MapReader::choice(const std::string& key,
                                             const std::vector<std::string>& choices) {
  const YamlNode* value = scalar(key, join_or(choices));
  if (value == nullptr) return std::nullopt;
  const auto found = std::find(choices.begin(), choices.end(), value->text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  refuse(*value, key, join_or(choices) + did_you_mean(value->text, choices));
  return std::nullopt;
}

}  // namespace reel
