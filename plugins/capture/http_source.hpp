// http:// and https://: a clip on a server or, with `live`, a camera that sends without end (MJPEG,
// MPEG-TS). Single-thread.
#pragma once

#include <cstdint>

#include "network_source.hpp"

namespace capture {

class HttpSource : public NetworkSource {
 public:
  explicit HttpSource(const reel::Options& options);

  [[nodiscard]] bool is_camera() const noexcept override { return camera_; }
  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;

 private:
  void set_up(GstElement* source) const;

  bool camera_;
  std::int64_t stall_timeout_ms_;
};

}  // namespace capture
