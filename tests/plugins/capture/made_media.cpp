#include "made_media.hpp"

#include <stdexcept>

#include <gst/gst.h>

namespace capture_test {

namespace {

void play_to_end(GstElement* pipeline, const std::string& text) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool ended = message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  if (!ended) throw std::runtime_error("GStreamer cannot make a file with: " + text);
}

}  // namespace

std::string MediaDir::make(const std::string& name, const std::string& pipeline) const {
  gst_init(nullptr, nullptr);
  const std::string path = file(name);
  const std::string text = pipeline + " ! filesink location=" + path;
  GError* error = nullptr;
  GstElement* element = gst_parse_launch(text.c_str(), &error);
  if (error != nullptr) {
    const std::string why = error->message;
    g_error_free(error);
    throw std::runtime_error(text + ": " + why);
  }
  play_to_end(element, text);
  return path;
}

std::string small_picture(int frames) {
  return "videotestsrc num-buffers=" + std::to_string(frames) +
         " ! video/x-raw,format=I420,width=160,height=120,framerate=25/1";
}

std::string small_sound(int buffers) {
  return "audiotestsrc samplesperbuffer=4800 num-buffers=" + std::to_string(buffers) +
         " ! audio/x-raw,format=S16LE,rate=48000,channels=1";
}

}  // namespace capture_test
