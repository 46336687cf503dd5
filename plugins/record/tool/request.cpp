#include "tool/request.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

#include "catalog/segment_name.hpp"

namespace record {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw reel::Error(reel::ErrorCode::bad_argument, message, "recordings");
}

struct Value {
  std::string name, text;
  std::int64_t now_utc_ns;

  [[noreturn]] void refuse_as(std::string_view wanted) const {
    refuse("--" + name + ": '" + text + "' is not " + std::string(wanted));
  }
  [[nodiscard]] std::int64_t time() const {
    const auto time = time_from(text, now_utc_ns);
    return time ? *time : (refuse_as(kTimeText), 0);
  }
  [[nodiscard]] std::int64_t duration() const {
    const auto duration = reel::duration_from(text);
    return duration ? *duration : (refuse_as(reel::kDurationText), 0);
  }
  [[nodiscard]] std::uint64_t size() const {
    const auto size = reel::size_from(text);
    return size ? *size : (refuse_as(reel::kSizeText), 0);
  }
  [[nodiscard]] SegmentClass segment_class() const {
    const auto kind = segment_class_from(text);
    return kind ? *kind : (refuse_as("continuous, event or protected"), SegmentClass::continuous);
  }
};

constexpr std::string_view kChoosing = "ls show verify export protect rm";

struct Setting {
  std::string_view name;
  std::string_view actions;  // that have it; empty: all
  void (*set)(Request& request, const Value& value);
};

const std::array kSettings{
    Setting{"action", "", [](Request& r, const Value& v) { r.action = v.text; }},
    Setting{"directory", "", [](Request& r, const Value& v) { r.directory = v.text; }},
    Setting{"json", "", [](Request& r, const Value&) { r.json = true; }},
    Setting{"segment", "show verify export protect rm",
            [](Request& r, const Value& v) { r.segments.push_back(v.text); }},
    Setting{"recording", "ls show verify export protect rm retain",
            [](Request& r, const Value& v) { r.query.recording = r.limits.recording = v.text; }},
    Setting{"class", "ls show verify export protect rm retain",
            [](Request& r, const Value& v) { r.query.kind = r.limits.kind = v.segment_class(); }},
    Setting{"stream", kChoosing, [](Request& r, const Value& v) { r.query.stream = v.text; }},
    Setting{"event", kChoosing, [](Request& r, const Value& v) { r.query.event = v.text; }},
    Setting{"label", kChoosing, [](Request& r, const Value& v) { r.query.label = v.text; }},
    Setting{"from", kChoosing, [](Request& r, const Value& v) { r.query.from_utc_ns = v.time(); }},
    Setting{"to", kChoosing, [](Request& r, const Value& v) { r.query.to_utc_ns = v.time(); }},
    Setting{"output", "export", [](Request& r, const Value& v) { r.output = v.text; }},
    Setting{"decode", "verify", [](Request& r, const Value&) { r.decode = true; }},
    Setting{"off", "protect", [](Request& r, const Value&) { r.off = true; }},
    Setting{"dry-run", "protect rm retain", [](Request& r, const Value&) { r.dry_run = true; }},
    Setting{"max-age", "retain", [](Request& r, const Value& v) { r.limits.max_age_ns = v.duration(); }},
    Setting{"max-bytes", "retain", [](Request& r, const Value& v) { r.limits.max_bytes = v.size(); }},
    Setting{"min-free", "retain", [](Request& r, const Value& v) { r.limits.min_free = v.size(); }},
};

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

void take(Request& request, const std::string& argument, std::int64_t now_utc_ns) {
  const std::size_t equals = argument.find('=');
  const Value value{argument.substr(0, equals),
                    equals == std::string::npos ? "" : argument.substr(equals + 1), now_utc_ns};
  const auto setting = std::find_if(kSettings.begin(), kSettings.end(),
                                    [&](const Setting& each) { return each.name == value.name; });
  if (setting == kSettings.end())
    refuse("there is no argument '" + value.name + "': `reel` and this program are of different builds");
  if (!setting->actions.empty() && !has_word(setting->actions, request.action)) {
    const std::string what = value.name == "segment" ? "a SEGMENT ('" + value.text + "')" : "--" + value.name;
    refuse(what + " means nothing to `" + request.action + "`: it is for " + std::string(setting->actions));
  }
  setting->set(request, value);
  if (setting->actions == kChoosing || value.name == "recording" || value.name == "class")
    request.filtered = true;
}

}  // namespace

Request request_from(const std::vector<std::string>& arguments, std::int64_t now_utc_ns) {
  Request request;
  for (const std::string& argument : arguments) take(request, argument, now_utc_ns);
  if (request.query.from_utc_ns >= request.query.to_utc_ns) refuse("--from must be before --to");
  return request;
}

}  // namespace record
