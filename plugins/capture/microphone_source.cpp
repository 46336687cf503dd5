#include "microphone_source.hpp"

#include "address.hpp"

#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr gint64 kPeriod_us = 20'000;  // of sound in one frame

bool opens(GstElement* element) {
  const bool ready = gst_element_set_state(element, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state(element, GST_STATE_NULL);
  return ready;
}

// nullptr when its plugin is not installed.
reel::gst::Ptr<GstElement> element_if_any(const char* factory) {
  GstElement* const element = gst_element_factory_make(factory, nullptr);
  return reel::gst::Ptr<GstElement>(
      element == nullptr ? nullptr : static_cast<GstElement*>(gst_object_ref_sink(element)));
}

}  // namespace

MicrophoneSource::MicrophoneSource(const reel::Options& options)
    : DeviceSource(options.text("uri")),
      scheme_(scheme_of(options.text("uri"))),
      device_(options.text("uri").substr(scheme_.size() + 3)) {
  if (scheme_ == "microphone" && !device_.empty())
    throw Error(ErrorCode::bad_config, "uri \"" + uri() +
                                           "\": microphone:// is the default one; another is pulse://" +
                                           device_ + " or alsa://" + device_);
}

reel::gst::Ptr<GstElement> MicrophoneSource::make_reader() const {
  if (scheme_ != "microphone") {
    reel::gst::Ptr<GstElement> named = reel::gst::new_element(scheme_ == "pulse" ? "pulsesrc" : "alsasrc");
    if (!device_.empty()) g_object_set(named.get(), "device", device_.c_str(), nullptr);
    return named;
  }
  for (const char* factory : {"pulsesrc", "alsasrc"})
    if (reel::gst::Ptr<GstElement> element = element_if_any(factory); element && opens(element.get()))
      return element;
  throw Error(ErrorCode::not_found, "\"" + uri() + "\": there is no microphone; " + advice());
}

reel::gst::Ptr<GstElement> MicrophoneSource::make_element(const Wanted& /*wanted*/) const {
  const reel::gst::Ptr<GstElement> reader = make_reader();
  g_object_set(reader.get(), "provide-clock", FALSE, "latency-time", kPeriod_us, nullptr);
  return make_bin(reader, "audio/x-raw, layout=interleaved");
}

std::string MicrophoneSource::advice() const {
  const std::string pulse =
      "does PulseAudio or PipeWire run for this user (`pactl list short sources`, Debian package "
      "pulseaudio-utils)?";
  const std::string alsa =
      "is there one (`arecord -L`, Debian package alsa-utils), is this user in the group audio, and are "
      "gstreamer1.0-alsa's elements there?";
  if (scheme_ == "pulse") return pulse;
  return scheme_ == "alsa" ? alsa : pulse + " Or by ALSA: " + alsa;
}

}  // namespace capture
