// v4l2:///dev/video0: a camera that is plugged in. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "device_source.hpp"

namespace capture {

class V4l2Source : public DeviceSource {
 public:
  /// Throws reel::Error{bad_config} for a URI that names no device, or options that are none of a camera's.
  explicit V4l2Source(const reel::Options& options);

  void check() const override;
  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;

  /// What the camera is asked for, as GStreamer's caps.
  [[nodiscard]] std::string caps(const Wanted& wanted) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::int32_t>>& controls() const noexcept {
    return controls_;
  }

 protected:
  [[nodiscard]] std::string advice() const override;

 private:
  std::string device_;
  std::string format_;  // "own" where it was not given
  std::string fields_;  // size and rate, as caps have them
  std::vector<std::pair<std::string, std::int32_t>> controls_;
};

}  // namespace capture
