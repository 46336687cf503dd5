#include "rtsp_source.hpp"

#include "uri_element.hpp"

namespace capture {

namespace {

constexpr guint64 kUdpPatience_us = 3'000'000;

const char* protocols(const std::string& transport) {
  if (transport == "tcp") return "tcp";
  if (transport == "udp") return "udp";
  return transport == "multicast" ? "udp-mcast" : "tcp+udp-mcast+udp";
}

// A stream that nobody reads is not asked for.
gboolean on_select_stream(GstElement* /*source*/, guint /*number*/, GstCaps* caps, gpointer wanted) {
  const auto* outputs = static_cast<const Wanted*>(wanted);
  const gchar* media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  if (g_strcmp0(media, "video") == 0) return outputs->any_video() ? TRUE : FALSE;
  return g_strcmp0(media, "audio") == 0 && outputs->any_audio() ? TRUE : FALSE;
}

}  // namespace

RtspSource::RtspSource(const reel::Options& options)
    : NetworkSource(options),
      transport_(options.text("transport")),
      latency_ms_(options.duration_ms("latency")),
      stall_timeout_ms_(options.duration_ms("stall_timeout")) {}

reel::gst::Ptr<GstElement> RtspSource::make_element(const Wanted& wanted) const {
  return make_uri_element(address().uri, wanted, [this, wanted](GstElement* source) {
    set_up(source);
    g_signal_connect_data(
        source, "select-stream", G_CALLBACK(on_select_stream), new Wanted(wanted),
        [](gpointer data, GClosure*) { delete static_cast<Wanted*>(data); }, GConnectFlags{});
  });
}

void RtspSource::set_up(GstElement* source) const {
  set_user(source);
  gst_util_set_object_arg(G_OBJECT(source), "protocols", protocols(transport_));
  g_object_set(source, "latency", static_cast<guint>(latency_ms_), "timeout", kUdpPatience_us, nullptr);
  if (stall_timeout_ms_ > 0)
    g_object_set(source, "tcp-timeout", static_cast<guint64>(stall_timeout_ms_) * 1000, nullptr);
}

}  // namespace capture
