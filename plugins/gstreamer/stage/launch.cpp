#include "launch.hpp"

#include <array>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/stage/launch_line.hpp>

namespace reel::gst {
namespace {

namespace fs = std::filesystem;

struct ListUnref {
  void operator()(GList* list) const noexcept { gst_plugin_feature_list_free(list); }
};
struct ContextUnref {
  void operator()(GstParseContext* context) const noexcept { gst_parse_context_free(context); }
};
struct ClassUnref {
  void operator()(GObjectClass* klass) const noexcept { g_type_class_unref(klass); }
};
using ClassPtr = std::unique_ptr<GObjectClass, ClassUnref>;

ClassPtr class_of(const char* element) {
  GstElementFactory* const factory = gst_element_factory_find(element);
  if (factory == nullptr)
    throw Error(ErrorCode::unsupported, fmt::format("GStreamer has loaded no element '{}'", element));
  auto* const loaded = GST_ELEMENT_FACTORY(gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory)));
  gst_object_unref(factory);
  if (loaded == nullptr)
    throw Error(ErrorCode::unsupported, fmt::format("the element '{}' cannot be loaded", element));
  const GType type = gst_element_factory_get_element_type(loaded);
  gst_object_unref(loaded);
  return ClassPtr(G_OBJECT_CLASS(g_type_class_ref(type)));
}

bool has(const ClassPtr& klass, const char* property) {
  return g_object_class_find_property(klass.get(), property) != nullptr;
}

const char* checksum_text(ChecksumMode mode) {
  switch (mode) {
    case ChecksumMode::none: return "none";
    case ChecksumMode::full: return "full";
    case ChecksumMode::sampled: return "sampled";
  }
  return "full";
}

std::string nanoseconds(int milliseconds) {
  return std::to_string(std::int64_t{milliseconds} * 1'000'000);
}

// What a stream's entry in the pipeline file says, by the name that reelsink has for it.
struct Setting {
  const char* property;
  const char* key;  // in the file
  std::string value;
  std::string otherwise;  // of a stream of which nothing is said
};

std::array<Setting, 12> settings_of(const WriterOptions& wanted, const WriterOptions& defaults) {
  const auto number = [](auto value) { return std::to_string(value); };
  const auto memory = [](SegmentKind kind) { return std::string(to_string(kind)); };
  const auto truth = [](bool value) { return std::string(value ? "true" : "false"); };
  return {{{"slot-bytes", "slot_bytes", number(wanted.slot_bytes), number(defaults.slot_bytes)},
           {"max-bytes", "max_bytes", number(wanted.max_bytes), number(defaults.max_bytes)},
           {"history", "history", number(wanted.history), number(defaults.history)},
           {"loans", "loans", number(wanted.loans), number(defaults.loans)},
           {"side-data-bytes", "side_data_bytes", number(wanted.side_data_bytes),
            number(defaults.side_data_bytes)},
           {"checksum", "checksum", checksum_text(wanted.checksum), checksum_text(defaults.checksum)},
           {"is-live", "live", truth(wanted.live), truth(defaults.live)},
           {"lag-frames", "lag_frames", number(wanted.lag_frames), number(defaults.lag_frames)},
           {"start-timeout", "start_timeout", nanoseconds(wanted.start_timeout_ms),
            nanoseconds(defaults.start_timeout_ms)},
           {"stall-timeout", "stall_timeout", nanoseconds(wanted.stall_timeout_ms),
            nanoseconds(defaults.stall_timeout_ms)},
           {"absence-timeout", "absence_timeout", nanoseconds(wanted.absence_timeout_ms),
            nanoseconds(defaults.absence_timeout_ms)},
           {"memory", "memory", memory(wanted.memory), memory(defaults.memory)}}};
}

std::string sink_properties(const OutputSetup& output, bool filter) {
  const ClassPtr klass = class_of("reelsink");
  std::string text = fmt::format("stream={} slots={}", output.stream, output.writer.slots);
  for (const Setting& setting : settings_of(output.writer, WriterOptions{})) {
    if (has(klass, setting.property))
      text += fmt::format(" {}={}", setting.property, setting.value);
    else if (setting.value != setting.otherwise)
      throw Error(ErrorCode::bad_config,
                  fmt::format("stream '{}' has {} {}, but reelsink cannot set it: leave it out",
                              output.stream, setting.key, setting.value));
  }
  if (!output.writer.wait_for.empty())
    text += fmt::format(" wait-for={}", fmt::join(output.writer.wait_for, ","));
  return text + (filter ? " sync=false" : "");
}

std::string source_properties(const InputSetup& input, bool filter) {
  const ReaderOptions& reader = input.reader;
  return fmt::format("stream={} reader-name={} policy={} start={} max-pins={} verify={} on-corrupted={}{}{}",
                     input.stream, reader.name, to_string(reader.policy), to_string(reader.start),
                     reader.max_pins, reader.verify, reader.deliver_corrupted ? "pass" : "drop",
                     reader.comes_back ? " comes-back=true" : "", filter ? " is-live=false" : "");
}

std::string element_advice(const std::string& missing) {
  std::vector<std::string> known;
  const std::unique_ptr<GList, ListUnref> features(
      gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY));
  for (GList* one = features.get(); one != nullptr; one = one->next)
    known.emplace_back(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(one->data)));
  const auto near = nearest_name(missing, known);
  return fmt::format(
      "{}install the package that has it (Debian: gstreamer1.0-plugins-base, -good, -bad, -ugly or "
      "gstreamer1.0-libav); gst-inspect-1.0 lists what is there",
      near ? fmt::format("did you mean '{}'? Otherwise ", *near) : "");
}

std::string first_missing(const GstParseContext* context) {
  gchar** const names = gst_parse_context_get_missing_elements(const_cast<GstParseContext*>(context));
  const std::string first = names != nullptr && names[0] != nullptr ? names[0] : "";
  g_strfreev(names);
  return first;
}

}  // namespace

void start_gstreamer() {
  GError* raw = nullptr;
  const bool ready = gst_init_check(nullptr, nullptr, &raw) != FALSE;
  const Ptr<GError> failed(raw);
  if (!ready)
    throw Error(ErrorCode::unsupported, fmt::format("GStreamer does not start: {}",
                                                    failed ? failed->message : "it does not say why"));
  std::error_code ignored;
  const fs::path program = fs::canonical("/proc/self/exe", ignored);
  const fs::path module =
      (program.parent_path() / REEL_HOST_TO_ELEMENTS / "libgstreel.so").lexically_normal();
  GstPlugin* const plugin = gst_plugin_load_file(module.c_str(), &raw);
  const Ptr<GError> unloaded(raw);
  if (plugin == nullptr)
    throw Error(ErrorCode::unsupported, fmt::format("Reel's elements cannot be loaded from {}: {}",
                                                    module.string(), unloaded ? unloaded->message : "?"));
  gst_object_unref(plugin);
}

std::string launch_of(const StageSetup& setup) {
  const auto given = setup.options.find("launch");
  if (given == setup.options.end()) throw Error(ErrorCode::bad_config, "option launch must be given");
  const std::string& launch = given->second.text;
  const bool filter = !setup.inputs.empty() && !setup.outputs.empty();
  std::vector<std::string> properties;
  std::size_t inputs = 0, outputs = 0;
  for (const OpenEnd& end : open_ends(launch)) {
    std::size_t& next = end.source ? inputs : outputs;
    if (next == (end.source ? setup.inputs.size() : setup.outputs.size()))
      throw Error(ErrorCode::bad_config,
                  fmt::format("the launch line has more {} without a stream than the stage has {} ({})",
                              end.source ? "reelsrc" : "reelsink", end.source ? "inputs" : "outputs", next));
    properties.push_back(end.source ? source_properties(setup.inputs[next], filter)
                                    : sink_properties(setup.outputs[next], filter));
    ++next;
  }
  if (inputs != setup.inputs.size() || outputs != setup.outputs.size())
    throw Error(ErrorCode::bad_config,
                fmt::format("the launch line has {} reelsrc and {} reelsink without a stream, the stage {} "
                            "inputs and {} outputs",
                            inputs, outputs, setup.inputs.size(), setup.outputs.size()));
  return filled_launch(launch, properties);
}

Ptr<GstElement> parse(const std::string& launch) {
  const std::unique_ptr<GstParseContext, ContextUnref> context(gst_parse_context_new());
  GError* raw = nullptr;
  GstElement* const made =
      gst_parse_launch_full(launch.c_str(), context.get(), GST_PARSE_FLAG_FATAL_ERRORS, &raw);
  const Ptr<GError> error(raw);
  if (made == nullptr || error) {
    if (made != nullptr) gst_object_unref(gst_object_ref_sink(made));
    // A known element with an unknown property is called missing, too.
    const bool missing_element =
        error && error->domain == GST_PARSE_ERROR && error->code == GST_PARSE_ERROR_NO_SUCH_ELEMENT;
    if (const std::string missing = first_missing(context.get()); missing_element && !missing.empty())
      throw Error(ErrorCode::unsupported,
                  fmt::format("GStreamer has no element '{}': {}", missing, element_advice(missing)));
    throw Error(ErrorCode::bad_config, fmt::format("the launch line is wrong: {} (\"{}\")",
                                                   error ? error->message : "it is empty", launch));
  }
  Ptr<GstElement> element(GST_ELEMENT(gst_object_ref_sink(made)));
  if (GST_IS_PIPELINE(element.get())) return element;
  Ptr<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  gst_bin_add(GST_BIN(pipeline.get()), element.get());
  return pipeline;
}

}  // namespace reel::gst
