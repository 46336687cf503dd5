// Reel's choices as GLib enumerations, so that gst-inspect lists them and gst-launch takes them by name.
#pragma once

#include <gst/gst.h>

namespace reel::gst {

/// What reelsrc does when its writer goes away without ending the stream.
enum class OnDisconnect { none, eos, error };
/// What reelsrc does with a frame whose checksum is wrong.
enum class OnCorrupted { drop, pass, error };

[[nodiscard]] GType policy_type();
[[nodiscard]] GType start_type();
[[nodiscard]] GType checksum_type();
[[nodiscard]] GType on_disconnect_type();
[[nodiscard]] GType on_corrupted_type();

}  // namespace reel::gst
