// A live stream as a GstDevice: its name, what it carries, and a reelsrc that reads it.
#pragma once

#include <string>

#include <gst/gst.h>

namespace reel::gst {

/// What is told of a stream. Equal where nothing that is told has changed.
struct DeviceFacts {
  std::string stream;
  std::string caps;
  std::string epoch;  // of its memory: another writer is another device
  unsigned writer_pid = 0;
  unsigned slots = 0;
  bool live = false;
  bool operator==(const DeviceFacts&) const = default;
};

[[nodiscard]] GType device_get_type();

/// A floating reference. nullptr where GStreamer cannot read the caps.
[[nodiscard]] GstDevice* new_device(const DeviceFacts& facts);
[[nodiscard]] const DeviceFacts& facts_of(GstDevice* device);

}  // namespace reel::gst
