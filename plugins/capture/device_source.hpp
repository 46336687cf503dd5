// What cameras, microphones and screens of this machine have in common: one element of GStreamer's that reads
// the device, and a filter that says what is wanted of it. Single-thread.
#pragma once

#include "source.hpp"

namespace capture {

class DeviceSource : public Source {
 public:
  explicit DeviceSource(const std::string& uri) : Source(uri) {}

  [[nodiscard]] bool is_camera() const noexcept override { return true; }
  [[nodiscard]] reel::Error error_of(GstMessage* message) const override;

 protected:
  /// What to look at when the device cannot be read, for messages: "is it in use?".
  [[nodiscard]] virtual std::string advice() const = 0;
  /// A bin of `reader` and a filter of `caps`.
  [[nodiscard]] static reel::gst::Ptr<GstElement> make_bin(const reel::gst::Ptr<GstElement>& reader,
                                                           const std::string& caps);
};

/// "framerate=30/1" of "30" or "30000/1001". Throws reel::Error{bad_config} for what is no rate.
[[nodiscard]] std::string framerate_of(const std::string& option, const std::string& text);

}  // namespace capture
