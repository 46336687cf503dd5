#include "catalog/segment.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>

namespace record {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

constexpr std::array<std::pair<SegmentClass, std::string_view>, 3> kClasses{
    {{SegmentClass::continuous, "continuous"},
     {SegmentClass::event, "event"},
     {SegmentClass::protected_, "protected"}}};
constexpr std::array<std::pair<SegmentState, std::string_view>, 4> kStates{
    {{SegmentState::open, "open"},
     {SegmentState::finished, "finished"},
     {SegmentState::repaired, "repaired"},
     {SegmentState::broken, "broken"}}};

template <class Names, class Value>
std::string_view name_of(const Names& names, Value value) noexcept {
  for (const auto& [each, name] : names) {
    if (each == value) return name;
  }
  return "unknown";
}

template <class Value, class Names>
std::optional<Value> value_of(const Names& names, std::string_view text) noexcept {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// Each struct is described once; the description is visited by what writes it and by what reads it.

template <class Visitor, class T>
void describe(Visitor& visit, T& track) requires(std::is_same_v<std::remove_const_t<T>, Track>) {
  visit("stream", track.stream);
  visit("media", track.media);
  visit("codec", track.codec);
  visit("caps", track.caps);
  visit("frames", track.frames);
  visit("first_frame", track.first_frame);
  visit("start_ns", track.start_ns);
  visit("end_ns", track.end_ns);
}

template <class Visitor, class T>
void describe(Visitor& visit, T& gap) requires(std::is_same_v<std::remove_const_t<T>, Gap>) {
  visit("stream", gap.stream);
  visit("start_ns", gap.start_ns);
  visit("end_ns", gap.end_ns);
  visit("frames", gap.frames);
  visit("reason", gap.reason);
}

template <class Visitor, class T>
void describe(Visitor& visit, T& pair) requires(std::is_same_v<std::remove_const_t<T>, ClockPair>) {
  visit("media_ns", pair.media_ns);
  visit("monotonic_ns", pair.monotonic_ns);
  visit("utc_ns", pair.utc_ns);
}

template <class Visitor, class T>
void describe(Visitor& visit, T& mark) requires(std::is_same_v<std::remove_const_t<T>, EventMark>) {
  visit("id", mark.id);
  visit("kind", mark.kind);
  visit("start_ns", mark.start_ns);
  visit("end_ns", mark.end_ns);
  visit.maybe("note", mark.note);
  visit.maybe("score", mark.score);
  visit.maybe("best_ns", mark.best_ns);
  visit.maybe("picture", mark.picture);
  visit.maybe("thumbnail", mark.thumbnail);
}

template <class Visitor, class T>
void describe(Visitor& visit, T& sighting) requires(std::is_same_v<std::remove_const_t<T>, Sighting>) {
  visit("stream", sighting.stream);
  visit("type", sighting.type);
  visit("name", sighting.name);
  visit.maybe("label", sighting.label);
  visit("count", sighting.count);
  visit("highest", sighting.highest);
  visit("first_ns", sighting.first_ns);
  visit("last_ns", sighting.last_ns);
}

template <class Visitor, class T>
void describe(Visitor& visit, T& record) requires(std::is_same_v<std::remove_const_t<T>, SegmentRecord>) {
  visit("path", record.path);
  visit("recording", record.recording);
  visit.maybe("sequence", record.sequence);
  visit("kind", record.kind);
  visit("state", record.state);
  visit("container", record.container);
  visit("start_ns", record.start_ns);
  visit("end_ns", record.end_ns);
  visit("start_utc_ns", record.start_utc_ns);
  visit("end_utc_ns", record.end_utc_ns);
  visit("bytes", record.bytes);
  visit.maybe("tracks", record.tracks);
  visit.maybe("gaps", record.gaps);
  visit.maybe("clocks", record.clocks);
  visit.maybe("boot", record.boot);
  visit.maybe("events", record.events);
  visit.maybe("sightings", record.sightings);
}

class Writer {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = written(value);
  }
  template <class T>
  void maybe(const char* name, const T& value) {
    if (value != T{}) (*this)(name, value);
  }
  template <class T>
  void maybe(const char* name, const std::vector<T>& values) {
    if (!values.empty()) (*this)(name, values);
  }
  [[nodiscard]] json take() { return std::move(object_); }

 private:
  template <class T>
  static json written(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return to_string(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return std::isfinite(value) ? value : 0;  // JSON has no other numbers
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return value;
    } else {
      Writer writer;
      describe(writer, value);
      return writer.take();
    }
  }
  template <class T>
  static json written(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) list.push_back(written(value));
    return list;
  }

  json object_ = json::object();
};

class Reader {
 public:
  /// `inside` is what stands before each name in messages: "tracks[1].".
  Reader(const json& object, const std::string& where, std::string inside)
      : object_(object), where_(where), inside_(std::move(inside)) {}

  template <class T>
  void operator()(const char* name, T& value) const {
    const auto found = object_.find(name);
    if (found == object_.end()) wrong(name, "is missing");
    read(name, *found, value);
  }
  template <class T>
  void maybe(const char* name, T& value) const {
    if (const auto found = object_.find(name); found != object_.end()) read(name, *found, value);
  }

 private:
  [[noreturn]] void wrong(const std::string& name, const std::string& what) const {
    throw reel::Error(reel::ErrorCode::bad_argument, "the field '" + inside_ + name + "' " + what, where_);
  }
  void read(const std::string& name, const json& from, std::string& value) const {
    if (!from.is_string()) wrong(name, "must be a text");
    value = from.get<std::string>();
  }
  void read(const std::string& name, const json& from, std::int64_t& value) const {
    if (!from.is_number_integer() || (from.is_number_unsigned() && from.get<std::uint64_t>() > kMost))
      wrong(name, "must be a whole number");
    value = from.get<std::int64_t>();
  }
  void read(const std::string& name, const json& from, std::uint64_t& value) const {
    if (!from.is_number_unsigned()) wrong(name, "must be a whole number from 0");
    value = from.get<std::uint64_t>();
  }
  void read(const std::string& name, const json& from, double& value) const {
    if (!from.is_number()) wrong(name, "must be a number");
    value = from.get<double>();
  }
  void read(const std::string& name, const json& from, SegmentClass& value) const {
    read_name(name, from, kClasses, value);
  }
  void read(const std::string& name, const json& from, SegmentState& value) const {
    read_name(name, from, kStates, value);
  }
  template <class Names, class Value>
  void read_name(const std::string& name, const json& from, const Names& names, Value& value) const {
    std::string text;
    read(name, from, text);
    const std::optional<Value> known = value_of<Value>(names, text);
    if (!known) wrong(name, "is '" + text + "', which is none of its values");
    value = *known;
  }
  template <class T>
  void read(const std::string& name, const json& from, std::vector<T>& values) const {
    if (!from.is_array()) wrong(name, "must be a list");
    for (const json& each : from) {
      const std::string place = name + "[" + std::to_string(values.size()) + "]";
      if (!each.is_object()) wrong(place, "must be an object");
      const Reader reader(each, where_, inside_ + place + ".");
      describe(reader, values.emplace_back());
    }
  }

  static constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const json& object_;
  const std::string& where_;
  std::string inside_;
};

}  // namespace

std::string_view to_string(SegmentClass value) noexcept {
  return name_of(kClasses, value);
}
std::optional<SegmentClass> segment_class_from(std::string_view text) noexcept {
  return value_of<SegmentClass>(kClasses, text);
}
std::string_view to_string(SegmentState value) noexcept {
  return name_of(kStates, value);
}
std::optional<SegmentState> segment_state_from(std::string_view text) noexcept {
  return value_of<SegmentState>(kStates, text);
}

std::string to_json(const SegmentRecord& record) {
  Writer writer;
  writer("version", kVersion);
  describe(writer, record);
  // What a camera or a caller said may be no UTF-8: that must not cost the manifest.
  return writer.take().dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

SegmentRecord segment_from_json(std::string_view text, const std::string& where) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    throw reel::Error(reel::ErrorCode::bad_argument, "this is no manifest: not a JSON object", where);
  const Reader reader(object, where, {});
  std::int64_t version = 0;
  reader("version", version);
  if (version != kVersion)
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "the manifest is of version " + std::to_string(version) +
                          ", this program reads version " + std::to_string(kVersion),
                      where);
  SegmentRecord record;
  describe(reader, record);
  return record;
}

}  // namespace record
