// rtsp:// and rtsps://: an IP camera, through GStreamer's rtspsrc. Single-thread.
#pragma once

#include <cstdint>

#include "network_source.hpp"

namespace capture {

class RtspSource : public NetworkSource {
 public:
  explicit RtspSource(const reel::Options& options);

  [[nodiscard]] bool is_camera() const noexcept override { return true; }
  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;

 private:
  void set_up(GstElement* source) const;

  std::string transport_;
  std::int64_t latency_ms_;
  std::int64_t stall_timeout_ms_;
};

}  // namespace capture
