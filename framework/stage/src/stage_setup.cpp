#include <optional>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/stage/stage_setup.hpp>

namespace reel {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::protocol, fmt::format("the stage's setup: {} {}", path.empty() ? "it" : path, why));
}

// A value in the document together with the way to it, for messages.
struct Place {
  const Json& value;
  std::string path;

  [[nodiscard]] Place at(const std::string& name) const {
    if (!value.is_object()) refuse(path, "is no object");
    const auto found = value.find(name);
    if (found == value.end()) refuse(path.empty() ? name : path + "." + name, "is missing");
    return {*found, path.empty() ? name : path + "." + name};
  }
  template <typename Element>
  [[nodiscard]] auto each(Element&& read) const {
    if (!value.is_array()) refuse(path, "is no array");
    std::vector<std::invoke_result_t<Element, const Place&>> all;
    for (std::size_t i = 0; i < value.size(); ++i)
      all.push_back(read(Place{value[i], fmt::format("{}[{}]", path, i)}));
    return all;
  }
};

std::string text(const Place& place) {
  if (!place.value.is_string()) refuse(place.path, "is no text");
  return place.value.get<std::string>();
}

bool boolean(const Place& place) {
  if (!place.value.is_boolean()) refuse(place.path, "is no boolean");
  return place.value.get<bool>();
}

template <typename Integer>
Integer integer(const Place& place) {
  static_assert(std::is_integral_v<Integer>);
  if (!place.value.is_number_integer()) refuse(place.path, "is no integer");
  const bool negative = !place.value.is_number_unsigned() && place.value.get<std::int64_t>() < 0;
  const bool fits = negative ? std::in_range<Integer>(place.value.get<std::int64_t>())
                             : std::in_range<Integer>(place.value.get<std::uint64_t>());
  if (!fits) refuse(place.path, fmt::format("({}) is out of range", place.value.dump()));
  return negative ? static_cast<Integer>(place.value.get<std::int64_t>())
                  : static_cast<Integer>(place.value.get<std::uint64_t>());
}

template <typename Value>
Value named(const Place& place, std::optional<Value> (*from)(std::string_view)) {
  const auto value = from(text(place));
  if (!value) refuse(place.path, fmt::format("(\"{}\") is not known", text(place)));
  return *value;
}

std::optional<ChecksumMode> checksum_mode_from(std::string_view name) {
  if (name == "none") return ChecksumMode::none;
  if (name == "full") return ChecksumMode::full;
  if (name == "sampled") return ChecksumMode::sampled;
  return std::nullopt;
}

const char* checksum_mode_text(ChecksumMode mode) {
  switch (mode) {
    case ChecksumMode::none: return "none";
    case ChecksumMode::full: return "full";
    case ChecksumMode::sampled: return "sampled";
  }
  return "full";
}

std::optional<Policy> policy_of(std::string_view name) {
  return policy_from(name);
}
std::optional<Start> start_of(std::string_view name) {
  return start_from(name);
}
std::optional<SegmentKind> memory_of(std::string_view name) {
  return segment_kind_from(name);
}

Json reader_json(const ReaderOptions& reader) {
  return {{"name", reader.name},
          {"policy", to_string(reader.policy)},
          {"start", to_string(reader.start)},
          {"max_pins", reader.max_pins},
          {"verify", reader.verify},
          {"deliver_corrupted", reader.deliver_corrupted},
          {"comes_back", reader.comes_back},
          {"reconnect", reader.reconnect}};
}

ReaderOptions read_reader(const Place& place) {
  ReaderOptions reader;
  reader.name = text(place.at("name"));
  reader.policy = named<Policy>(place.at("policy"), policy_of);
  reader.start = named<Start>(place.at("start"), start_of);
  reader.max_pins = integer<std::uint32_t>(place.at("max_pins"));
  reader.verify = boolean(place.at("verify"));
  reader.deliver_corrupted = boolean(place.at("deliver_corrupted"));
  reader.comes_back = boolean(place.at("comes_back"));
  reader.reconnect = boolean(place.at("reconnect"));
  return reader;
}

Json choice_json(const FrameChoice& choice) {
  return {{"every", choice.every}, {"max_fps", choice.max_fps}};
}

FrameChoice read_choice(const Place& place) {
  FrameChoice choice;
  choice.every = integer<std::uint32_t>(place.at("every"));
  const Place max_fps = place.at("max_fps");
  if (!max_fps.value.is_number()) refuse(max_fps.path, "is no number");
  choice.max_fps = max_fps.value.get<double>();
  if (choice.max_fps != 0 && !(choice.max_fps >= kLeastMaxFps && choice.max_fps <= kMostMaxFps))
    refuse(max_fps.path, fmt::format("({}) is out of range", max_fps.value.dump()));
  return choice;
}

Json join_json(const JoinRule& join) {
  return {
      {"tolerance_ns", join.tolerance_ns}, {"time", to_string(join.time)}, {"timeout_ns", join.timeout_ns}};
}

std::optional<JoinTime> time_of(std::string_view name) {
  return join_time_from(name);
}

std::optional<JoinRule> read_join(const Place& place) {
  if (place.value.is_null()) return std::nullopt;
  JoinRule join;
  join.time = named<JoinTime>(place.at("time"), time_of);
  for (const auto& [name, value] :
       {std::pair("tolerance_ns", &join.tolerance_ns), {"timeout_ns", &join.timeout_ns}}) {
    *value = integer<std::int64_t>(place.at(name));
    if (*value < 0 || *value > kLongestJoin_ns)
      refuse(place.at(name).path, fmt::format("({}) is out of range", *value));
  }
  return join;
}

Json writer_json(const WriterOptions& writer) {
  Json policies = Json::array();
  for (const Policy policy : writer.allowed_policies) policies.push_back(to_string(policy));
  return {{"slots", writer.slots},
          {"slot_bytes", writer.slot_bytes},
          {"max_bytes", writer.max_bytes},
          {"grow_for_readers", writer.grow_for_readers},
          {"history", writer.history},
          {"loans", writer.loans},
          {"side_data_bytes", writer.side_data_bytes},
          {"checksum", checksum_mode_text(writer.checksum)},
          {"live", writer.live},
          {"lag_frames", writer.lag_frames},
          {"allowed_policies", std::move(policies)},
          {"wait_for", writer.wait_for},
          {"start_timeout_ms", writer.start_timeout_ms},
          {"stall_timeout_ms", writer.stall_timeout_ms},
          {"absence_timeout_ms", writer.absence_timeout_ms},
          {"resume_ms", writer.resume_ms},
          {"memory", to_string(writer.memory)},
          {"allowed_users", writer.allowed_users},
          {"allowed_groups", writer.allowed_groups}};
}

WriterOptions read_writer(const Place& place) {
  WriterOptions writer;
  writer.slots = integer<std::uint32_t>(place.at("slots"));
  writer.slot_bytes = integer<std::uint64_t>(place.at("slot_bytes"));
  writer.max_bytes = integer<std::uint64_t>(place.at("max_bytes"));
  writer.grow_for_readers = boolean(place.at("grow_for_readers"));
  writer.history = integer<std::uint32_t>(place.at("history"));
  writer.loans = integer<std::uint32_t>(place.at("loans"));
  writer.side_data_bytes = integer<std::uint32_t>(place.at("side_data_bytes"));
  writer.checksum = named<ChecksumMode>(place.at("checksum"), checksum_mode_from);
  writer.live = boolean(place.at("live"));
  writer.lag_frames = integer<std::uint32_t>(place.at("lag_frames"));
  writer.allowed_policies =
      place.at("allowed_policies").each([](const Place& policy) { return named<Policy>(policy, policy_of); });
  writer.wait_for = place.at("wait_for").each(text);
  writer.start_timeout_ms = integer<int>(place.at("start_timeout_ms"));
  writer.stall_timeout_ms = integer<int>(place.at("stall_timeout_ms"));
  writer.absence_timeout_ms = integer<int>(place.at("absence_timeout_ms"));
  writer.resume_ms = integer<int>(place.at("resume_ms"));
  writer.memory = named<SegmentKind>(place.at("memory"), memory_of);
  writer.allowed_users = place.at("allowed_users").each(integer<uid_t>);
  writer.allowed_groups = place.at("allowed_groups").each(integer<gid_t>);
  return writer;
}

OptionValue read_option(const Place& place) {
  OptionValue option;
  option.is_list = boolean(place.at("is_list"));
  option.text = text(place.at("text"));
  option.items = place.at("items").each(text);
  option.where = text(place.at("where"));
  return option;
}

}  // namespace

std::string to_json(const StageSetup& setup) {
  Json document{{"name", setup.name}, {"plugin", setup.plugin}, {"base_directory", setup.base_directory}};
  Json& options = document["options"] = Json::object();
  for (const auto& [name, option] : setup.options)
    options[name] = {
        {"text", option.text}, {"items", option.items}, {"is_list", option.is_list}, {"where", option.where}};
  Json& inputs = document["inputs"] = Json::array();
  for (const InputSetup& input : setup.inputs)
    inputs.push_back({{"port", input.port},
                      {"stream", input.stream},
                      {"reader", reader_json(input.reader)},
                      {"choice", choice_json(input.choice)}});
  document["join"] = setup.join ? join_json(*setup.join) : Json();
  Json& outputs = document["outputs"] = Json::array();
  for (const OutputSetup& output : setup.outputs)
    outputs.push_back(
        {{"port", output.port}, {"stream", output.stream}, {"writer", writer_json(output.writer)}});
  // Text of a pipeline file may be no UTF-8: a byte replaced in an option is better than no pipeline.
  return document.dump(2, ' ', false, Json::error_handler_t::replace);
}

StageSetup stage_setup_from_json(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) refuse("", "is no JSON");
  const Place document{parsed, ""};
  StageSetup setup;
  setup.name = text(document.at("name"));
  setup.plugin = text(document.at("plugin"));
  setup.base_directory = text(document.at("base_directory"));
  const Place options = document.at("options");
  if (!options.value.is_object()) refuse(options.path, "is no object");
  for (const auto& [name, value] : options.value.items())
    setup.options[name] = read_option({value, "options." + name});
  setup.inputs = document.at("inputs").each([](const Place& input) {
    return InputSetup{text(input.at("port")), text(input.at("stream")), read_reader(input.at("reader")),
                      read_choice(input.at("choice"))};
  });
  setup.join = read_join(document.at("join"));
  setup.outputs = document.at("outputs").each([](const Place& output) {
    return OutputSetup{text(output.at("port")), text(output.at("stream")), read_writer(output.at("writer"))};
  });
  return setup;
}

}  // namespace reel
