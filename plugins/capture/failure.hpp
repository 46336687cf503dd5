// GStreamer's error messages as reel::Error: what, of which URI, and what to do about it. Thread-safe.
#pragma once

#include <chrono>
#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>

namespace capture {

/// What a "missing plugin" message asks for.
struct MissingPlugin {
  std::string description;  // "H.264 (High Profile) decoder"
  std::string media_type;   // "video/x-h264"; empty for other things than decoders and demuxers
};

/// REQUIRES: gst_is_missing_plugin_message(message).
[[nodiscard]] MissingPlugin read_missing_plugin(GstMessage* message);

/// Of an ERROR or WARNING message: its text, and the element that sent it.
[[nodiscard]] std::string text_of(GstMessage* message);

/// What an ERROR message says in full.
struct Reason {
  GQuark domain = 0;
  int code = 0;
  std::string text;  // with the last line of what it says to programmers, which often is the reason

  [[nodiscard]] bool is(GQuark of_domain, int of_code) const noexcept {
    return domain == of_domain && code == of_code;
  }
};
[[nodiscard]] Reason read_reason(GstMessage* message);

/// The error to throw when GStreamer has no decoder for `uri`.
[[nodiscard]] reel::Error missing_plugin_error(const std::string& uri, const MissingPlugin& missing);

/// True for an ERROR or WARNING message that says "missing plugin", as GStreamer also does where nothing that
/// was wanted is there.
[[nodiscard]] bool says_missing_plugin(GstMessage* message);

/// The error to throw for any other ERROR message. `defect`: see Source::defect().
[[nodiscard]] reel::Error playback_error(const std::string& uri, GstMessage* message,
                                         const std::string& defect);

/// The error to throw when no frame has come, nor any message.
[[nodiscard]] reel::Error no_first_frame_error(const std::string& uri, std::chrono::seconds waited,
                                               const std::string& defect);

}  // namespace capture
