#include "uri_element.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include <reel/gst/element.hpp>

namespace capture {

namespace {

// What the signals of one element need; each has its own reference.
struct Hooks {
  Wanted wanted;
  std::function<void(GstElement*)> set_up;
};
using SharedHooks = std::shared_ptr<const Hooks>;

// GstAutoplugSelectResult, which is in no header of GStreamer's.
enum Select { kTry = 0, kExpose = 1 };

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool wanted_encoded(const Wanted& wanted, const GstCaps* caps) {
  if (gst_caps_is_any(caps) != FALSE || gst_caps_is_empty(caps) != FALSE) return false;
  const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  if (name == "video/x-raw" || name == "audio/x-raw") return false;
  if (starts_with(name, "video/") || starts_with(name, "image/")) return wanted.has(Media::video_encoded);
  return starts_with(name, "audio/") && wanted.has(Media::audio_encoded);
}

bool is_parsed(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  for (const char* field : {"parsed", "framed"}) {
    gboolean value = FALSE;
    if (gst_structure_get_boolean(structure, field, &value) != FALSE && value != FALSE) return true;
  }
  return false;
}

// Parsed already: nobody need be there who could decode it.
gboolean on_continue(GstElement* /*bin*/, GstPad* /*pad*/, GstCaps* caps, gpointer hooks) {
  const Wanted& wanted = (*static_cast<SharedHooks*>(hooks))->wanted;
  return wanted_encoded(wanted, caps) && is_parsed(caps) ? FALSE : TRUE;
}

// Where a decoder comes next there is nothing left to parse.
int on_select(GstElement* /*bin*/, GstPad* /*pad*/, GstCaps* caps, GstElementFactory* factory,
              gpointer hooks) {
  const Wanted& wanted = (*static_cast<SharedHooks*>(hooks))->wanted;
  const bool decoder = gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_DECODER) != FALSE;
  return decoder && wanted_encoded(wanted, caps) ? kExpose : kTry;
}

void on_source(GstElement* /*bin*/, GstElement* source, gpointer hooks) {
  (*static_cast<SharedHooks*>(hooks))->set_up(source);
}

// A demuxer that waits for more streams than there are would keep the first one's frames back.
void on_element(GstBin* /*bin*/, GstBin* /*parent*/, GstElement* element, gpointer /*data*/) {
  const GstElementFactory* const factory = gst_element_get_factory(element);
  if (factory != nullptr && std::string_view(GST_OBJECT_NAME(factory)) == "multipartdemux")
    g_object_set(element, "single-stream", TRUE, nullptr);
}

void connect(GstElement* bin, const char* signal, GCallback callback, const SharedHooks& hooks) {
  g_signal_connect_data(
      bin, signal, callback, new SharedHooks(hooks),
      [](gpointer data, GClosure*) { delete static_cast<SharedHooks*>(data); }, GConnectFlags{});
}

}  // namespace

reel::gst::Ptr<GstElement> make_uri_element(const std::string& uri, const Wanted& wanted,
                                            std::function<void(GstElement*)> set_up) {
  reel::gst::Ptr<GstElement> bin = reel::gst::new_element("uridecodebin");
  // Only what is wanted is decoded: without video output an unknown video codec is no error, and no time is
  // spent on it.
  // (ANY: a decoder's own list of what it gives must lie within these caps, memory of devices included.)
  std::string wanted_caps = wanted.any_video() ? "video/x-raw(ANY)" : "";
  if (wanted.any_audio()) wanted_caps += wanted.any_video() ? "; audio/x-raw(ANY)" : "audio/x-raw(ANY)";
  const reel::gst::Ptr<GstCaps> caps(gst_caps_from_string(wanted_caps.c_str()));
  g_object_set(bin.get(), "uri", uri.c_str(), "caps", caps.get(), "expose-all-streams", FALSE, nullptr);
  g_signal_connect(bin.get(), "deep-element-added", G_CALLBACK(on_element), nullptr);
  const auto hooks = std::make_shared<const Hooks>(Hooks{wanted, std::move(set_up)});
  if (wanted.has(Media::video_encoded) || wanted.has(Media::audio_encoded)) {
    connect(bin.get(), "autoplug-continue", G_CALLBACK(on_continue), hooks);
    connect(bin.get(), "autoplug-select", G_CALLBACK(on_select), hooks);
  }
  if (hooks->set_up) connect(bin.get(), "source-setup", G_CALLBACK(on_source), hooks);
  return bin;
}

}  // namespace capture
