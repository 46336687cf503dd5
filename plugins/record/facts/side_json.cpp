#include "facts/side_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace record {
namespace {

using nlohmann::json;
using reel::SideDataType;

/// The shortest decimal that reads as the same float.
[[nodiscard]] json number(float value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> text{};
  std::to_chars(text.data(), text.data() + text.size() - 1, value);
  return std::strtod(text.data(), nullptr);
}

[[nodiscard]] float number(const json& value) {
  return value.is_null() ? std::numeric_limits<float>::quiet_NaN() : value.get<float>();
}

[[nodiscard]] std::string base64(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8) | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

[[nodiscard]] std::uint32_t base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 52;
  return c == '+' ? 62 : 63;
}

[[nodiscard]] std::vector<std::byte> base64_bytes(std::string_view text) {
  std::vector<std::byte> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = (bits << 6) | base64_digit(c);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> count));
  }
  return bytes;
}

[[nodiscard]] std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] json detections(const reel::SideDataView::Entry& entry) {
  json list = json::array();
  for (const reel::Detection& found : reel::SideDataView::detections(entry))
    list.push_back({{"label", found.label_text()},
                    {"score", number(found.score)},
                    {"x", number(found.x)},
                    {"y", number(found.y)},
                    {"width", number(found.width)},
                    {"height", number(found.height)},
                    {"track", found.track_id}});
  return list;
}

[[nodiscard]] json levels(const std::array<float, reel::kMaxLevelChannels>& values, std::uint32_t channels) {
  json list = json::array();
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(channels, reel::kMaxLevelChannels); ++i)
    list.push_back(number(values[i]));
  return list;
}

/// Nothing for an entry whose bytes are not those of its type.
[[nodiscard]] json entry_to_json(const reel::SideDataView::Entry& entry) {
  alignas(8) std::array<std::byte, 512> place{};
  reel::SideDataWriter alone(place);
  switch (entry.type) {
    case SideDataType::detections:
      return {{"type", "detections"}, {"name", entry.name}, {"list", detections(entry)}};
    case SideDataType::motion:
      if (!alone.add_entry(entry) || !alone.view().motion()) return {};
      return {{"type", "motion"}, {"name", entry.name}, {"score", number(alone.view().motion()->score)}};
    case SideDataType::audio_level: {
      const auto level = alone.add_entry(entry) ? alone.view().audio_level() : std::nullopt;
      if (!level) return {};
      return {{"type", "audio_level"},
              {"name", entry.name},
              {"rms_dbfs", levels(level->rms_dbfs, level->channels)},
              {"peak_dbfs", levels(level->peak_dbfs, level->channels)}};
    }
    case SideDataType::json: {
      json value = json::parse(text_of(entry.data), nullptr, false);
      if (value.is_discarded()) return {{"type", "json"}, {"name", entry.name}, {"text", base64(entry.data)}};
      return {{"type", "json"}, {"name", entry.name}, {"value", std::move(value)}};
    }
    case SideDataType::bytes:
      return {{"type", "bytes"}, {"name", entry.name}, {"base64", base64(entry.data)}};
  }
  return {};
}

[[nodiscard]] std::vector<reel::Detection> detections_from(const json& list) {
  std::vector<reel::Detection> found;
  for (const json& one : list) {
    reel::Detection& detection = found.emplace_back();
    detection.set_label(one.at("label").get<std::string>());
    detection.score = number(one.at("score"));
    detection.x = number(one.at("x"));
    detection.y = number(one.at("y"));
    detection.width = number(one.at("width"));
    detection.height = number(one.at("height"));
    detection.track_id = one.at("track").get<std::uint32_t>();
  }
  return found;
}

[[nodiscard]] reel::AudioLevel level_from(const json& entry) {
  reel::AudioLevel level;
  const json& rms = entry.at("rms_dbfs");
  const json& peak = entry.at("peak_dbfs");
  level.channels =
      static_cast<std::uint32_t>(std::min({rms.size(), peak.size(), std::size_t{reel::kMaxLevelChannels}}));
  for (std::uint32_t i = 0; i < level.channels; ++i) {
    level.rms_dbfs[i] = number(rms[i]);
    level.peak_dbfs[i] = number(peak[i]);
  }
  return level;
}

[[nodiscard]] bool add(reel::SideDataWriter& writer, const json& entry) {
  const std::string type = entry.at("type");
  const std::string name = entry.at("name");
  if (type == "detections") return writer.add_detections(name, detections_from(entry.at("list")));
  if (type == "motion") return writer.add_motion(name, {number(entry.at("score"))});
  if (type == "audio_level") return writer.add_audio_level(name, level_from(entry));
  if (type == "bytes") return writer.add_bytes(name, base64_bytes(entry.at("base64").get<std::string>()));
  if (type != "json") return true;
  if (entry.contains("text")) {
    const std::vector<std::byte> bytes = base64_bytes(entry.at("text").get<std::string>());
    return writer.add_json(name, text_of(bytes));
  }
  return writer.add_json(name, entry.at("value").dump());
}

}  // namespace

json side_to_json(const reel::SideDataView& side) {
  json list = json::array();
  for (const auto& entry : side)
    if (json one = entry_to_json(entry); !one.empty()) list.push_back(std::move(one));
  return list;
}

std::vector<std::byte> side_from_json(const json& list) {
  for (std::size_t bytes = 1024; bytes <= reel::kMaxSideDataBytes; bytes *= 4) {
    std::vector<std::byte> place(bytes);
    reel::SideDataWriter writer(place);
    if (!std::all_of(list.begin(), list.end(), [&](const json& entry) { return add(writer, entry); }))
      continue;
    place.resize(writer.size());
    return place;
  }
  return {};
}

}  // namespace record
