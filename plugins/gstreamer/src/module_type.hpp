// Names of GObject types that several shared libraries of one process may bring along.
#pragma once

#include <string>

namespace reel::gst {

/// `name` with something that this library alone has behind it: this code is linked into the GStreamer plugin
/// and into Reel's own, and GObject takes each name once.
[[nodiscard]] std::string module_type_name(const char* name);

}  // namespace reel::gst
