// microphone://: the default one, through PulseAudio (or PipeWire in its place) where it runs, else ALSA.
// pulse://NAME and alsa://hw:1 name one. Single-thread.
#pragma once

#include <string>

#include "device_source.hpp"

namespace capture {

class MicrophoneSource : public DeviceSource {
 public:
  explicit MicrophoneSource(const reel::Options& options);

  /// Throws reel::Error{not_found} where microphone:// finds none.
  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;

 protected:
  [[nodiscard]] std::string advice() const override;

 private:
  [[nodiscard]] reel::gst::Ptr<GstElement> make_reader() const;

  std::string scheme_;
  std::string device_;  // empty: the default
};

}  // namespace capture
