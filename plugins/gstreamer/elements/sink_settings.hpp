// The properties of reelsink: their defaults, ranges and texts. The object lock is the caller's.
#pragma once

#include <cstdint>
#include <string>

#include <gst/gst.h>

#include <reel/channel/options.hpp>

namespace reel::gst {

struct SinkSettings {
  SinkSettings() { writer.slots = kSlots; }
  static constexpr std::uint32_t kSlots = 16;  // room for a few readers that hold a few buffers each

  std::string stream;
  std::string policies;  // comma-separated; empty: all
  std::string wait_for;  // comma-separated names
  WriterOptions writer;
  std::uint32_t wait_for_readers = 0;
  std::uint32_t mode = 0600;  // permissions, as of a file that is read and written
};

enum class SinkProperty : guint {
  stream = 1,
  slots,
  history,
  checksum,
  policy_limits,
  wait_for_readers,
  wait_for,
  start_timeout,
  absence_timeout,
  stall_timeout,
  side_data_bytes,
  max_bytes,
  mode,
  is_live,
  num_clients,
  stats
};

void install_sink_properties(GObjectClass* object_class);
/// False for a property that is not one of the settings (num-clients, stats).
bool set_sink_property(SinkSettings& settings, SinkProperty property, const GValue* value);
bool get_sink_property(const SinkSettings& settings, SinkProperty property, GValue* value);
/// REQUIRES: one of the settings, and its `spec`.
bool equal_in(SinkProperty property, const SinkSettings& left, const SinkSettings& right, GParamSpec* spec);

/// What the writer is opened with. Throws Error{bad_argument} for a policy there is not, naming the nearest,
/// and for a mode that says nothing here.
[[nodiscard]] WriterOptions writer_options(const SinkSettings& settings);

}  // namespace reel::gst
