// screen://: what is on an X display, or a part of it. Single-thread.
#pragma once

#include <cstdint>
#include <string>

#include "device_source.hpp"

namespace capture {

/// A part of a screen, in pixels; of no size: all of it.
struct Region {
  std::uint32_t x = 0, y = 0, width = 0, height = 0;
};

/// "640x480+100+50", or "" for all. Throws reel::Error{bad_config}.
[[nodiscard]] Region parse_region(const std::string& text);

class ScreenSource : public DeviceSource {
 public:
  /// screen://:0 names a display, screen:// means that of $DISPLAY. Throws reel::Error{bad_config}.
  explicit ScreenSource(const reel::Options& options);

  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;

 protected:
  [[nodiscard]] std::string advice() const override;

 private:
  std::string display_;
  Region region_;
  bool pointer_;
  std::string framerate_;
};

}  // namespace capture
