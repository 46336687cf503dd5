// Keeps frames that cannot be decoded from decoders: after a beginning or a gap in an encoded stream nothing
// passes before a key frame, stream headers aside. Streaming thread.
#pragma once

#include <cstdint>
#include <string>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>

namespace reel::gst {

/// True where frames may depend on others: encoded formats, and video of codecs that Reel has no name for.
[[nodiscard]] inline bool depends_on_others(const Format& format) {
  if (format.kind() != MediaKind::bytes) return format.kind() == MediaKind::encoded;
  const std::string caps = format.caps();
  return caps.rfind("video/", 0) == 0 && caps.rfind("video/x-raw", 0) != 0;
}

class KeyFrameGate {
 public:
  static constexpr std::int64_t kAskAgainNs = 1'000'000'000;

  /// Frames are missing before the next one.
  void close() noexcept { closed_ = true; }
  [[nodiscard]] bool lets_pass(std::uint32_t flags) noexcept {
    if ((flags & kKeyFrame) != 0) closed_ = false;
    return !closed_ || (flags & kHeader) != 0;
  }
  /// True when a key frame is to be asked for: at once, then every kAskAgainNs while the gate is closed.
  [[nodiscard]] bool should_ask(std::int64_t now_ns) noexcept {
    if (!closed_) {
      asked_ = false;
      return false;
    }
    if (asked_ && now_ns - asked_at_ns_ < kAskAgainNs) return false;
    asked_ = true;
    asked_at_ns_ = now_ns;
    return true;
  }

 private:
  bool closed_ = false;
  bool asked_ = false;
  std::int64_t asked_at_ns_ = 0;
};

}  // namespace reel::gst
