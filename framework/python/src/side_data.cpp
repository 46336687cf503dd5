#include "side_data.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "errors.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

constexpr const char* kDetections = "detections";
constexpr const char* kMotion = "motion";
constexpr const char* kAudioLevel = "audio_level";
constexpr const char* kJson = "json";
constexpr const char* kBytes = "bytes";

py::str text_of(std::string_view text) {
  PyObject* const made = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

py::bytes bytes_of(std::span<const std::byte> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

py::list detections_of(const SideDataView::Entry& entry) {
  py::list all;
  for (const Detection& found : SideDataView::detections(entry)) {
    py::dict each;
    each["label"] = text_of(found.label_text());
    each["score"] = found.score;
    each["x"] = found.x;
    each["y"] = found.y;
    each["width"] = found.width;
    each["height"] = found.height;
    each["track_id"] = found.track_id;
    all.append(each);
  }
  return all;
}

// Another process wrote it: what is no JSON is given as its text.
void put_json(py::dict& dict, std::span<const std::byte> data) {
  const py::str text = text_of({reinterpret_cast<const char*>(data.data()), data.size()});
  try {
    dict["value"] = py::module_::import("json").attr("loads")(text);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_ValueError) && !error.matches(PyExc_RecursionError)) throw;
    dict["text"] = text;
  }
}

/// The bytes of an entry as a value of its type; none when it has another size.
template <typename Value>
std::optional<Value> value_of(std::span<const std::byte> data) {
  if (data.size() != sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(&value, data.data(), sizeof value);
  return value;
}

py::list levels_of(std::span<const float> levels) {
  py::list all;
  for (const float level : levels) all.append(level);
  return all;
}

// False where the bytes are not what the type says.
bool put_value(py::dict& dict, const SideDataView::Entry& entry) {
  switch (entry.type) {
    case SideDataType::detections: dict[kDetections] = detections_of(entry); return true;
    case SideDataType::json: put_json(dict, entry.data); return true;
    case SideDataType::bytes: dict["data"] = bytes_of(entry.data); return true;
    case SideDataType::motion: {
      const auto motion = value_of<MotionScore>(entry.data);
      if (motion) dict["score"] = motion->score;
      return motion.has_value();
    }
    case SideDataType::audio_level: {
      const auto level = value_of<AudioLevel>(entry.data);
      if (!level) return false;
      const std::size_t channels = std::min<std::size_t>(level->channels, kMaxLevelChannels);
      dict["rms_dbfs"] = levels_of({level->rms_dbfs.data(), channels});
      dict["peak_dbfs"] = levels_of({level->peak_dbfs.data(), channels});
      return true;
    }
  }
  return false;
}

std::string type_name(SideDataType type) {
  switch (type) {
    case SideDataType::detections: return kDetections;
    case SideDataType::motion: return kMotion;
    case SideDataType::audio_level: return kAudioLevel;
    case SideDataType::json: return kJson;
    case SideDataType::bytes: return kBytes;
  }
  return "unknown:" + std::to_string(static_cast<std::uint32_t>(type));
}

py::object at(const py::dict& entry, const char* key) {
  if (!entry.contains(key))
    throw Error(ErrorCode::bad_argument,
                std::string("side data without '") + key + "': " + py::repr(entry).cast<std::string>());
  return entry[key];
}

template <typename Value>
Value number_at(const py::dict& entry, const char* key, Value otherwise) {
  return entry.contains(key) ? entry[key].cast<Value>() : otherwise;
}

std::vector<Detection> detections_from(const py::dict& entry) {
  std::vector<Detection> all;
  for (const py::handle item : at(entry, kDetections)) {
    const auto each = item.cast<py::dict>();
    Detection found;
    if (each.contains("label")) found.set_label(each["label"].cast<std::string>());
    found.score = number_at(each, "score", 0.0F);
    found.x = at(each, "x").cast<float>();
    found.y = at(each, "y").cast<float>();
    found.width = at(each, "width").cast<float>();
    found.height = at(each, "height").cast<float>();
    found.track_id = number_at(each, "track_id", 0U);
    all.push_back(found);
  }
  return all;
}

AudioLevel level_from(const py::dict& entry) {
  const auto rms = at(entry, "rms_dbfs").cast<py::list>();
  const auto peak = at(entry, "peak_dbfs").cast<py::list>();
  if (rms.size() != peak.size() || rms.size() > kMaxLevelChannels)
    throw Error(ErrorCode::bad_argument, "levels of " + std::to_string(rms.size()) + " (rms) and " +
                                             std::to_string(peak.size()) +
                                             " (peak) channels: both have the same number, " +
                                             std::to_string(kMaxLevelChannels) + " at most");
  AudioLevel level;
  level.channels = static_cast<std::uint32_t>(rms.size());
  for (std::size_t i = 0; i < rms.size(); ++i) {
    level.rms_dbfs[i] = rms[i].cast<float>();
    level.peak_dbfs[i] = peak[i].cast<float>();
  }
  return level;
}

bool add_json(SideDataWriter& writer, const std::string& name, const py::dict& entry) {
  if (entry.contains("text")) return writer.add_json(name, entry["text"].cast<std::string>());
  const py::object text = py::module_::import("json").attr("dumps")(
      at(entry, "value"), py::arg("separators") = py::make_tuple(",", ":"));
  return writer.add_json(name, text.cast<std::string>());
}

bool add_entry(SideDataWriter& writer, const py::dict& entry) {
  const auto type = at(entry, "type").cast<std::string>();
  const auto name = at(entry, "name").cast<std::string>();
  if (type == kDetections) return writer.add_detections(name, detections_from(entry));
  if (type == kMotion) return writer.add_motion(name, {at(entry, "score").cast<float>()});
  if (type == kAudioLevel) return writer.add_audio_level(name, level_from(entry));
  if (type == kJson) return add_json(writer, name, entry);
  if (type == kBytes) {
    const auto data = at(entry, "data").cast<std::string>();
    return writer.add_bytes(name, std::as_bytes(std::span(data)));
  }
  throw Error(ErrorCode::bad_argument,
              "side data of the type '" + type + "': there are detections, motion, audio_level, json, bytes");
}

[[noreturn]] void throw_full(const SideDataWriter& writer, const std::string& stream) {
  throw StatusError("too_large",
                    "side data does not fit: " + std::to_string(writer.size()) + " of the " +
                        std::to_string(writer.capacity()) +
                        " bytes that side_data_bytes grants are used: open the writer with more",
                    stream);
}

}  // namespace

py::list dicts_of(const SideDataView& side_data) {
  py::list all;
  for (const SideDataView::Entry& entry : side_data) {
    py::dict dict;
    dict["type"] = type_name(entry.type);
    dict["name"] = text_of(entry.name);
    if (!put_value(dict, entry)) dict["data"] = bytes_of(entry.data);
    all.append(dict);
  }
  return all;
}

void add_dict(SideDataWriter& writer, const py::dict& entry, const std::string& stream) {
  if (!add_entry(writer, entry)) throw_full(writer, stream);
}

void add_all(SideDataWriter& writer, const SideDataView& side_data, const std::string& stream) {
  if (!writer.add_all(side_data)) throw_full(writer, stream);
}

}  // namespace reel::python
