// The properties of reelsrc: their defaults, ranges and texts. The object lock is the caller's.
#pragma once

#include <cstdint>
#include <string>

#include <gst/gst.h>

#include <reel/channel/options.hpp>

#include "enums.hpp"

namespace reel::gst {

struct SrcSettings {
  std::string stream;
  std::string reader_name;
  Policy policy = Policy::queue;
  Start start = Start::live;
  bool verify = true;
  OnCorrupted on_corrupted = OnCorrupted::drop;
  bool reconnect = true;
  OnDisconnect on_disconnect = OnDisconnect::none;
  std::uint64_t timeout_ns = 0;  // 0: for ever
  std::uint32_t max_pins = 4;
  bool comes_back = false;

  [[nodiscard]] ReaderOptions reader_options() const;
  bool operator==(const SrcSettings&) const = default;
};

enum class SrcProperty : guint {
  stream = 1,
  reader_name,
  policy,
  start,
  verify,
  on_corrupted,
  reconnect,
  on_disconnect,
  timeout,
  max_pins,
  comes_back,
  is_live,
  stats
};

void install_src_properties(GObjectClass* object_class);
/// False for a property that is not one of the settings (is-live, stats).
bool set_src_property(SrcSettings& settings, SrcProperty property, const GValue* value);
bool get_src_property(const SrcSettings& settings, SrcProperty property, GValue* value);

}  // namespace reel::gst
