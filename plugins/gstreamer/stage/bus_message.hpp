// Errors and warnings on a pipeline's bus as text that names the element, and as reel::Error. Thread-safe.
#pragma once

#include <string>

#include <gst/gst.h>

#include <reel/base/error.hpp>

namespace reel::gst {

/// "filesrc0 (filesrc): Could not open file \"x\" for reading. [system error: No such file or directory]", of
/// an ERROR, WARNING or INFO message.
[[nodiscard]] std::string text_of(GstMessage* message);

/// Of an ERROR message: {unsupported} where a plugin is missing, else {io}.
[[nodiscard]] Error error_of(GstMessage* message);

}  // namespace reel::gst
