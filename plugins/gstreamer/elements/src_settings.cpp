#include "src_settings.hpp"

namespace reel::gst {
namespace {

constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

template <typename Choice>
Choice choice_of(const GValue* value) {
  return static_cast<Choice>(g_value_get_enum(value));
}

}  // namespace

ReaderOptions SrcSettings::reader_options() const {
  ReaderOptions options;
  options.name = reader_name;
  options.policy = policy;
  options.start = start;
  options.max_pins = max_pins;
  options.verify = verify;
  options.deliver_corrupted = on_corrupted != OnCorrupted::drop;
  options.reconnect = reconnect;
  options.comes_back = comes_back;
  // Opening is a part of a change of state: a writer that hangs must not hold it up.
  options.connect_timeout_ms = 250;
  options.absence_notice_ms = 0;  // the element tells of it by itself
  return options;
}

void install_src_properties(GObjectClass* object_class) {
  const SrcSettings defaults;
  const auto install = [object_class](SrcProperty property, GParamSpec* spec) {
    g_object_class_install_property(object_class, static_cast<guint>(property), spec);
  };
  install(
      SrcProperty::stream,
      g_param_spec_string("stream", "Stream",
                          "Name of the stream to read; may be changed while PLAYING: the next buffer is of "
                          "the other stream, with DISCONT",
                          nullptr, kPlaying));
  install(
      SrcProperty::reader_name,
      g_param_spec_string("reader-name", "Reader name",
                          "What this reader is called in tools, for a writer's wait-for and for start=resume",
                          nullptr, kReady));
  install(SrcProperty::policy, g_param_spec_enum("policy", "Policy", "What this reader is owed",
                                                 policy_type(), static_cast<gint>(defaults.policy), kReady));
  install(SrcProperty::start, g_param_spec_enum("start", "Start", "Where it begins", start_type(),
                                                static_cast<gint>(defaults.start), kReady));
  install(SrcProperty::verify,
          g_param_spec_boolean("verify", "Verify", "Compare the checksum of every frame's payload",
                               static_cast<gboolean>(defaults.verify), kReady));
  install(SrcProperty::on_corrupted,
          g_param_spec_enum("on-corrupted", "On corrupted", "What becomes of a frame whose checksum is wrong",
                            on_corrupted_type(), static_cast<gint>(defaults.on_corrupted), kReady));
  install(
      SrcProperty::reconnect,
      g_param_spec_boolean("reconnect", "Reconnect",
                           "Wait for a writer that is not there, or not any more; without it, its absence "
                           "at the start is an error",
                           static_cast<gboolean>(defaults.reconnect), kReady));
  install(SrcProperty::comes_back,
          g_param_spec_boolean("comes-back", "Comes back",
                               "Where its process dies another of its reader-name follows: a writer keeps "
                               "what it has still to take losslessly, as for those of its wait-for",
                               static_cast<gboolean>(defaults.comes_back), kReady));
  install(SrcProperty::on_disconnect,
          g_param_spec_enum("on-disconnect", "On disconnect",
                            "What follows when the writer goes away without ending the stream",
                            on_disconnect_type(), static_cast<gint>(defaults.on_disconnect), kReady));
  install(
      SrcProperty::timeout,
      g_param_spec_uint64("timeout", "Timeout",
                          "Longest wait for a writer in nanoseconds; then on-disconnect, or an error where "
                          "that is none (0: for ever)",
                          0, G_MAXUINT64 / 2, defaults.timeout_ns, kReady));
  install(
      SrcProperty::max_pins,
      g_param_spec_uint("max-pins", "Max pins",
                        "Slots held at one time, one of them for the frame that is being taken; what buffers "
                        "would hold beyond it is copied",
                        1, kMaxSlots, defaults.max_pins, kReady));
  install(SrcProperty::is_live,
          g_param_spec_boolean("is-live", "Is live",
                               "Map presentation times to this pipeline's clock and read only while PLAYING; "
                               "else the stream's own times are handed on",
                               TRUE, kReady));
  install(SrcProperty::stats,
          g_param_spec_boxed("stats", "Statistics",
                             "Frames: delivered verified corrupted skipped lapped late undecodable; buffers: "
                             "copied repacked held; writers: connects; the newest frame's number: sequence",
                             GST_TYPE_STRUCTURE, kReadOnly));
}

bool set_src_property(SrcSettings& settings, SrcProperty property, const GValue* value) {
  switch (property) {
    case SrcProperty::stream: settings.stream = text_of(value); return true;
    case SrcProperty::reader_name: settings.reader_name = text_of(value); return true;
    case SrcProperty::policy: settings.policy = choice_of<Policy>(value); return true;
    case SrcProperty::start: settings.start = choice_of<Start>(value); return true;
    case SrcProperty::verify: settings.verify = g_value_get_boolean(value) != FALSE; return true;
    case SrcProperty::on_corrupted: settings.on_corrupted = choice_of<OnCorrupted>(value); return true;
    case SrcProperty::reconnect: settings.reconnect = g_value_get_boolean(value) != FALSE; return true;
    case SrcProperty::on_disconnect: settings.on_disconnect = choice_of<OnDisconnect>(value); return true;
    case SrcProperty::timeout: settings.timeout_ns = g_value_get_uint64(value); return true;
    case SrcProperty::max_pins: settings.max_pins = g_value_get_uint(value); return true;
    case SrcProperty::comes_back: settings.comes_back = g_value_get_boolean(value) != FALSE; return true;
    case SrcProperty::is_live:
    case SrcProperty::stats: return false;
  }
  return false;
}

bool get_src_property(const SrcSettings& settings, SrcProperty property, GValue* value) {
  switch (property) {
    case SrcProperty::stream: g_value_set_string(value, settings.stream.c_str()); return true;
    case SrcProperty::reader_name: g_value_set_string(value, settings.reader_name.c_str()); return true;
    case SrcProperty::policy: g_value_set_enum(value, static_cast<gint>(settings.policy)); return true;
    case SrcProperty::start: g_value_set_enum(value, static_cast<gint>(settings.start)); return true;
    case SrcProperty::verify: g_value_set_boolean(value, static_cast<gboolean>(settings.verify)); return true;
    case SrcProperty::on_corrupted:
      g_value_set_enum(value, static_cast<gint>(settings.on_corrupted));
      return true;
    case SrcProperty::reconnect:
      g_value_set_boolean(value, static_cast<gboolean>(settings.reconnect));
      return true;
    case SrcProperty::on_disconnect:
      g_value_set_enum(value, static_cast<gint>(settings.on_disconnect));
      return true;
    case SrcProperty::timeout: g_value_set_uint64(value, settings.timeout_ns); return true;
    case SrcProperty::max_pins: g_value_set_uint(value, settings.max_pins); return true;
    case SrcProperty::comes_back:
      g_value_set_boolean(value, static_cast<gboolean>(settings.comes_back));
      return true;
    case SrcProperty::is_live:
    case SrcProperty::stats: return false;
  }
  return false;
}

}  // namespace reel::gst
