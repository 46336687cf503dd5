#include "sink_settings.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

#include "enums.hpp"

namespace reel::gst {
namespace {

constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
constexpr std::uint32_t kLoans = 4;
constexpr std::uint64_t kLeastMaxBytes = 1 << 20;  // the smallest ring has 400 kB, without a frame
constexpr std::uint64_t kMillisecondNs = 1'000'000;

// Up: a time that was asked for is not cut short, and 0 alone is none.
int milliseconds_of(const GValue* value) {
  return static_cast<int>((g_value_get_uint64(value) + kMillisecondNs - 1) / kMillisecondNs);
}
void set_milliseconds(GValue* value, int milliseconds) {
  g_value_set_uint64(value, static_cast<guint64>(milliseconds) * kMillisecondNs);
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

}  // namespace

void install_sink_properties(GObjectClass* object_class) {
  const WriterOptions defaults = SinkSettings().writer;
  const auto install = [object_class](SinkProperty property, GParamSpec* spec) {
    g_object_class_install_property(object_class, static_cast<guint>(property), spec);
  };
  install(SinkProperty::stream,
          g_param_spec_string("stream", "Stream", "Name of the stream to write", nullptr, kReady));
  install(SinkProperty::slots, g_param_spec_uint("slots", "Slots", "Frames that the ring holds", kMinSlots,
                                                 kMaxSlots, defaults.slots, kReady));
  install(SinkProperty::history,
          g_param_spec_uint("history", "History", "Newest frames that are always kept for readers to come", 0,
                            kMaxSlots - 2, defaults.history, kReady));
  install(SinkProperty::checksum,
          g_param_spec_enum("checksum", "Checksum", "What of each frame's payload the checksum covers",
                            checksum_type(), static_cast<gint>(defaults.checksum), kReady));
  install(
      SinkProperty::policy_limits,
      g_param_spec_string("policy-limits", "Policy limits",
                          "Policies that readers may have, with commas: lossless,queue,latest (empty: all)",
                          nullptr, kReady));
  install(SinkProperty::wait_for_readers,
          g_param_spec_uint("wait-for-readers", "Wait for readers",
                            "Readers that must have joined before the first frame is published", 0,
                            kMaxReaders, 0, kReady));
  install(
      SinkProperty::wait_for,
      g_param_spec_string("wait-for", "Wait for",
                          "Names of readers, with commas, that are waited for before the first frame; "
                          "where is-live is off, frames are kept for those that are lossless when they are "
                          "killed",
                          nullptr, kReady));
  install(SinkProperty::start_timeout,
          g_param_spec_uint64("start-timeout", "Start timeout",
                              "How long the readers of wait-for are waited for, in nanoseconds (0: not at "
                              "all)",
                              0, static_cast<guint64>(G_MAXINT) * kMillisecondNs,
                              static_cast<guint64>(defaults.start_timeout_ms) * kMillisecondNs, kReady));
  install(
      SinkProperty::absence_timeout,
      g_param_spec_uint64("absence-timeout", "Absence timeout",
                          "How long frames are kept for a killed lossless reader of wait-for, and the stream "
                          "waits for it, in nanoseconds (0: not at all)",
                          0, static_cast<guint64>(G_MAXINT) * kMillisecondNs,
                          static_cast<guint64>(defaults.absence_timeout_ms) * kMillisecondNs, kReady));
  install(
      SinkProperty::stall_timeout,
      g_param_spec_uint64("stall-timeout", "Stall timeout",
                          "A lossless reader that blocks the stream so long, in nanoseconds, is waited for "
                          "no more (0: never)",
                          0, static_cast<guint64>(G_MAXINT) * kMillisecondNs,
                          static_cast<guint64>(defaults.stall_timeout_ms) * kMillisecondNs, kReady));
  install(SinkProperty::side_data_bytes, g_param_spec_uint("side-data-bytes", "Side data bytes",
                                                           "Room for metas in each slot, a multiple of 8", 0,
                                                           16u << 20, defaults.side_data_bytes, kReady));
  install(
      SinkProperty::max_bytes,
      g_param_spec_uint64("max-bytes", "Max bytes", "Memory of the ring, at most: it grows with its frames",
                          kLeastMaxBytes, G_MAXUINT64, defaults.max_bytes, kReady));
  install(SinkProperty::mode,
          g_param_spec_uint("mode", "Mode",
                            "Who may read, as the permissions of a file: 0600 (384) this user and root, 0660 "
                            "(432) its group too, 0666 (438) everyone",
                            0, 0777, SinkSettings().mode, kReady));
  install(
      SinkProperty::is_live,
      g_param_spec_boolean("is-live", "Is live",
                           "The source cannot wait: readers that lag lose frames instead of holding it up",
                           static_cast<gboolean>(defaults.live), kReady));
  install(SinkProperty::num_clients, g_param_spec_uint("num-clients", "Clients", "Readers that are connected",
                                                       0, G_MAXUINT, 0, kReadOnly));
  install(SinkProperty::stats,
          g_param_spec_boxed(
              "stats", "Statistics",
              "published, bytes, in-place, copied, heap-buffers, growths, waits, demoted, refused, epochs, "
              "metas-lost, metas-lost-by-type",
              GST_TYPE_STRUCTURE, kReadOnly));
}

bool set_sink_property(SinkSettings& settings, SinkProperty property, const GValue* value) {
  WriterOptions& writer = settings.writer;
  switch (property) {
    case SinkProperty::stream: settings.stream = text_of(value); return true;
    case SinkProperty::slots: writer.slots = g_value_get_uint(value); return true;
    case SinkProperty::history: writer.history = g_value_get_uint(value); return true;
    case SinkProperty::checksum:
      writer.checksum = static_cast<ChecksumMode>(g_value_get_enum(value));
      return true;
    case SinkProperty::policy_limits: settings.policies = text_of(value); return true;
    case SinkProperty::wait_for_readers: settings.wait_for_readers = g_value_get_uint(value); return true;
    case SinkProperty::wait_for: settings.wait_for = text_of(value); return true;
    case SinkProperty::start_timeout: writer.start_timeout_ms = milliseconds_of(value); return true;
    case SinkProperty::absence_timeout: writer.absence_timeout_ms = milliseconds_of(value); return true;
    case SinkProperty::stall_timeout: writer.stall_timeout_ms = milliseconds_of(value); return true;
    case SinkProperty::side_data_bytes: writer.side_data_bytes = g_value_get_uint(value); return true;
    case SinkProperty::max_bytes: writer.max_bytes = g_value_get_uint64(value); return true;
    case SinkProperty::mode: settings.mode = g_value_get_uint(value); return true;
    case SinkProperty::is_live: writer.live = g_value_get_boolean(value) != FALSE; return true;
    case SinkProperty::num_clients:
    case SinkProperty::stats: return false;
  }
  return false;
}

bool get_sink_property(const SinkSettings& settings, SinkProperty property, GValue* value) {
  const WriterOptions& writer = settings.writer;
  switch (property) {
    case SinkProperty::stream: g_value_set_string(value, settings.stream.c_str()); return true;
    case SinkProperty::slots: g_value_set_uint(value, writer.slots); return true;
    case SinkProperty::history: g_value_set_uint(value, writer.history); return true;
    case SinkProperty::checksum: g_value_set_enum(value, static_cast<gint>(writer.checksum)); return true;
    case SinkProperty::policy_limits: g_value_set_string(value, settings.policies.c_str()); return true;
    case SinkProperty::wait_for_readers: g_value_set_uint(value, settings.wait_for_readers); return true;
    case SinkProperty::wait_for: g_value_set_string(value, settings.wait_for.c_str()); return true;
    case SinkProperty::start_timeout: set_milliseconds(value, writer.start_timeout_ms); return true;
    case SinkProperty::absence_timeout: set_milliseconds(value, writer.absence_timeout_ms); return true;
    case SinkProperty::stall_timeout: set_milliseconds(value, writer.stall_timeout_ms); return true;
    case SinkProperty::side_data_bytes: g_value_set_uint(value, writer.side_data_bytes); return true;
    case SinkProperty::max_bytes: g_value_set_uint64(value, writer.max_bytes); return true;
    case SinkProperty::mode: g_value_set_uint(value, settings.mode); return true;
    case SinkProperty::is_live: g_value_set_boolean(value, static_cast<gboolean>(writer.live)); return true;
    case SinkProperty::num_clients:
    case SinkProperty::stats: return false;
  }
  return false;
}

bool equal_in(SinkProperty property, const SinkSettings& left, const SinkSettings& right, GParamSpec* spec) {
  GValue one = G_VALUE_INIT;
  GValue other = G_VALUE_INIT;
  g_value_init(&one, spec->value_type);
  g_value_init(&other, spec->value_type);
  const bool equal = get_sink_property(left, property, &one) && get_sink_property(right, property, &other) &&
                     g_param_values_cmp(spec, &one, &other) == 0;
  g_value_unset(&one);
  g_value_unset(&other);
  return equal;
}

namespace {

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    names.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return names;
}

std::vector<Policy> policies_of(std::string_view list) {
  std::vector<Policy> policies;
  for (const std::string& name : names_in(list)) {
    const auto policy = policy_from(name);
    if (!policy) {
      static const std::array<std::string, 3> known{"lossless", "queue", "latest"};
      const auto near = nearest_name(name, known);
      throw Error(ErrorCode::bad_argument, "policy-limits names \"" + name + "\": it takes " +
                                               join_or(known) + (near ? " (" + *near + "?)" : ""));
    }
    policies.push_back(*policy);
  }
  return policies;
}

std::vector<std::string> readers_of(std::string_view list) {
  std::vector<std::string> names = names_in(list);
  for (const std::string& name : names) {
    if (name.empty() || !valid_reader_name(name))
      throw Error(ErrorCode::bad_argument, "wait-for: " + bad_reader_name(name));
  }
  return names;
}

void allow(std::uint32_t mode, WriterOptions& options) {
  if (mode != 0600 && mode != 0660 && mode != 0666) {
    std::array<char, 8> octal{};
    std::snprintf(octal.data(), octal.size(), "%04o", mode);
    throw Error(ErrorCode::bad_argument, "mode is " + std::string(octal.data()) +
                                             ": it takes 0600 (384: this user), 0660 (432: its group too) or "
                                             "0666 (438: everyone)");
  }
  if (mode == 0660) options.allowed_groups.push_back(::getegid());
  options.allow_everyone = mode == 0666;
}

}  // namespace

WriterOptions writer_options(const SinkSettings& settings) {
  WriterOptions options = settings.writer;
  options.grow_for_readers = true;
  if (options.slots < options.history + 2)
    throw Error(ErrorCode::bad_argument, "slots is " + std::to_string(options.slots) + ", and history " +
                                             std::to_string(options.history) +
                                             ": with one slot that is written and one to spare it takes " +
                                             std::to_string(options.history + 2) + " slots at least");
  // Of what is not kept: one for copies, the rest for buffers that are filled, shown last or kept by a
  // decoder.
  const std::uint32_t spare = options.slots - std::min(options.slots, options.history + 1);
  options.loans = std::clamp<std::uint32_t>(spare, 1, kLoans);
  options.allowed_policies = policies_of(settings.policies);
  options.wait_for = readers_of(settings.wait_for);
  allow(settings.mode, options);
  return options;
}

}  // namespace reel::gst
