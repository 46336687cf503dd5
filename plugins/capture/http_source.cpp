#include "http_source.hpp"

#include "uri_element.hpp"

#include <reel/gst/element.hpp>

namespace capture {

HttpSource::HttpSource(const reel::Options& options)
    : NetworkSource(options),
      camera_(options.boolean("live")),
      stall_timeout_ms_(options.duration_ms("stall_timeout")) {}

reel::gst::Ptr<GstElement> HttpSource::make_element(const Wanted& wanted) const {
  static_cast<void>(
      reel::gst::new_element("souphttpsrc"));  // else uridecodebin says no more than "no URI handler"
  return make_uri_element(address().uri, wanted, [this](GstElement* source) { set_up(source); });
}

void HttpSource::set_up(GstElement* source) const {
  set_user(source);
  if (stall_timeout_ms_ > 0)
    g_object_set(source, "timeout", static_cast<guint>((stall_timeout_ms_ + 999) / 1000), nullptr);
  // Its frames bear no times but those of their arrival.
  if (camera_) g_object_set(source, "is-live", TRUE, "do-timestamp", TRUE, "retries", 0, nullptr);
}

}  // namespace capture
