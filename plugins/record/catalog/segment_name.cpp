#include "catalog/segment_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <reel/base/error.hpp>

namespace record {

namespace {

constexpr std::string_view kOpen = ".open";
constexpr std::string_view kEvent = "-event";
constexpr std::size_t kStampLength = std::string_view("20261122T073116.345Z").size();
constexpr std::size_t kDayLength = std::string_view("2026-11-22").size();
constexpr std::size_t kLongestName = 64;

/// "20261122T073116.345Z"
std::string stamp(std::int64_t utc_ns) {
  std::string text = utc_text(utc_ns);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool is_recording_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' && name.front() != '_' &&
         name.front() != '-' && std::all_of(name.begin(), name.end(), is_name_character);
}

/// What stands behind the time: "", "-event", "-2", "-event-2".
bool read_suffix(std::string_view text, SegmentName& name) {
  if (text.starts_with(kEvent)) {
    name.event = true;
    text.remove_prefix(kEvent.size());
  }
  if (text.empty()) return true;
  if (text.front() != '-') return false;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), name.number);
  return error == std::errc() && end == text.data() + text.size() && name.number >= 2;
}

/// Takes the extension off: ".mkv" or ".open.mkv".
std::string_view without_extension(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return path;
  path = path.substr(0, dot);
  if (path.ends_with(kOpen)) path.remove_suffix(kOpen.size());
  return path;
}

}  // namespace

std::string to_path(const SegmentName& name) {
  std::string path =
      utc_text(name.utc_ns).substr(0, kDayLength) + "/" + name.recording + "_" + stamp(name.utc_ns);
  if (name.event) path += kEvent;
  if (name.number > 1) path += "-" + std::to_string(name.number);
  if (name.open) path += kOpen;
  return path + "." + name.extension;
}

std::optional<SegmentName> segment_name_from(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  SegmentName name;
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  name.extension = file.substr(dot + 1);
  if (name.extension != "mkv" && name.extension != "mp4") return std::nullopt;
  name.open = file.substr(0, dot).ends_with(kOpen);
  const std::string_view stem = without_extension(file);
  // The recording's name may hold "_" itself; what stands behind the last one cannot.
  const std::size_t bar = stem.rfind('_');
  if (bar == std::string_view::npos || stem.size() < bar + 1 + kStampLength) return std::nullopt;
  name.recording = stem.substr(0, bar);
  const std::string_view time = stem.substr(bar + 1, kStampLength);
  const std::optional<std::int64_t> utc_ns = time_from(time, 0);
  if (!utc_ns || stamp(*utc_ns) != time || !is_recording_name(name.recording)) return std::nullopt;
  name.utc_ns = *utc_ns;
  if (!read_suffix(stem.substr(bar + 1 + kStampLength), name)) return std::nullopt;
  return name;
}

std::string stem_of(std::string_view path) {
  return std::string(without_extension(path));
}

std::string open_path_of(std::string_view path) {
  return stem_of(path) + std::string(kOpen) + std::string(path.substr(path.rfind('.')));
}

std::string manifest_path_of(std::string_view path) {
  return stem_of(path) + ".json";
}

std::string frames_path_of(std::string_view path) {
  return stem_of(path) + ".frames";
}

void check_recording_name(std::string_view name, const std::string& where) {
  if (is_recording_name(name)) return;
  throw reel::Error(reel::ErrorCode::bad_argument,
                    "'" + std::string(name) +
                        "' cannot be the name of a recording, which file names begin with: use 1 to " +
                        std::to_string(kLongestName) + " of A-Z a-z 0-9 . _ -, the first a letter or digit",
                    where);
}

}  // namespace record
