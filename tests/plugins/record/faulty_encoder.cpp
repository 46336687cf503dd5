#include "faulty_encoder.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

namespace reel_test {
namespace {

struct Fault {
  std::string what;
  std::uint64_t number = 0;
};

struct FaultyEncoder {
  GstBin bin;
  std::uint64_t frames;
};

struct FaultyEncoderClass {
  GstBinClass bin;
  const char* encoder;
};

/// Of what elements are made whose name is now that of a faulty one.
std::map<std::string, GstElementFactory*>& replaced() {
  static std::map<std::string, GstElementFactory*> factories;
  return factories;
}

Fault fault_now() {
  Fault fault;
  if (const char* file = std::getenv("REEL_FAULTY_ENCODER"))
    std::ifstream(file) >> fault.what >> fault.number;
  return fault;
}

GstPadProbeReturn on_frame(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer self) {
  auto* const encoder = static_cast<FaultyEncoder*>(self);
  ++encoder->frames;
  Fault fault = fault_now();
  if (fault.what == "sleep") std::this_thread::sleep_for(std::chrono::microseconds(fault.number));
  while (fault.what == "hang" && encoder->frames >= fault.number) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    fault = fault_now();
  }
  if (fault.what == "error" && encoder->frames == fault.number) {
    GST_ELEMENT_ERROR(encoder, STREAM, ENCODE, ("the test wants it to fail"), (nullptr));
    return GST_PAD_PROBE_DROP;
  }
  if (fault.what == "drop" && encoder->frames == fault.number) return GST_PAD_PROBE_DROP;
  return fault.what == "swallow" && encoder->frames >= fault.number ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

GstStateChangeReturn change_state(GstElement* self, GstStateChange change) {
  while (change == GST_STATE_CHANGE_NULL_TO_READY && fault_now().what == "open")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return GST_ELEMENT_CLASS(g_type_class_peek(GST_TYPE_BIN))->change_state(self, change);
}

void ghost(GstElement* bin, GstElement* inside, const char* name) {
  GstPad* const pad = gst_element_get_static_pad(inside, name);
  gst_element_add_pad(bin, gst_ghost_pad_new(name, pad));
  if (std::string(name) == "sink") gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &on_frame, bin, nullptr);
  gst_object_unref(pad);
}

void init(GTypeInstance* instance, gpointer type) {
  auto* const self = reinterpret_cast<FaultyEncoder*>(instance);
  self->frames = 0;
  const char* const encoder = static_cast<FaultyEncoderClass*>(type)->encoder;
  const auto factory = replaced().find(encoder);
  GstElement* const inside = factory == replaced().end()
                                 ? gst_element_factory_make(encoder, nullptr)
                                 : gst_element_factory_create(factory->second, nullptr);
  if (inside == nullptr) return;
  if (encoder == std::string("x264enc")) {
    gst_util_set_object_arg(G_OBJECT(inside), "tune", "zerolatency");
    gst_util_set_object_arg(G_OBJECT(inside), "speed-preset", "ultrafast");
    g_object_set(inside, "key-int-max", 100'000U, nullptr);
  }
  gst_bin_add(&self->bin, inside);
  ghost(GST_ELEMENT(self), inside, "sink");
  ghost(GST_ELEMENT(self), inside, "src");
}

// Whatever the encoder in whose place it is is told, it goes its own way.
void set_property(GObject*, guint, const GValue*, GParamSpec*) {}

void class_init(gpointer type, gpointer encoder) {
  static_cast<FaultyEncoderClass*>(type)->encoder = static_cast<const char*>(encoder);
  G_OBJECT_CLASS(type)->set_property = &set_property;
  GST_ELEMENT_CLASS(type)->change_state = &change_state;
  guint number = 0;
  for (const char* name : {"bitrate", "b-frames", "key-int-max"})
    g_object_class_install_property(
        G_OBJECT_CLASS(type), ++number,
        g_param_spec_int(name, name, name, 0, G_MAXINT, 0,
                         static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS)));
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(type), "Faulty encoder", "Codec/Encoder",
                                        "Slow, hangs or fails as a file says", "Reel");
}

GstPadProbeReturn on_unit(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer /*muxer*/) {
  while (fault_now().what == "hang") std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return GST_PAD_PROBE_OK;
}

GstPad* new_track(GstElement* muxer, GstPadTemplate* pads, const gchar* name, const GstCaps* caps) {
  auto* const parent = GST_ELEMENT_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(muxer)));
  GstPad* const pad = parent->request_new_pad(muxer, pads, name, caps);
  if (pad != nullptr) gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &on_unit, nullptr, nullptr);
  return pad;
}

}  // namespace

bool register_faulty_encoder(GstPlugin* plugin, const char* name, const char* encoder) {
  // Loaded at once: a plugin that is loaded later takes its name back.
  if (encoder == std::string(name) && !replaced().contains(name)) {
    GstPluginFeature* const found = GST_PLUGIN_FEATURE(gst_element_factory_find(encoder));
    replaced().emplace(name, GST_ELEMENT_FACTORY(gst_plugin_feature_load(found)));
    gst_object_unref(found);
  }
  GTypeInfo info{};
  info.class_size = sizeof(FaultyEncoderClass);
  info.class_init = &class_init;
  info.class_data = encoder;
  info.instance_size = sizeof(FaultyEncoder);
  info.instance_init = reinterpret_cast<GInstanceInitFunc>(&init);
  const std::string type_name = std::string("ReelFaulty-") + name;
  GType type = g_type_from_name(type_name.c_str());
  if (type == 0) type = g_type_register_static(GST_TYPE_BIN, type_name.c_str(), &info, GTypeFlags{});
  return gst_element_register(plugin, name, GST_RANK_NONE, type) != FALSE;
}

bool register_hanging_muxer(const char* muxer) {
  GstPluginFeature* const found = GST_PLUGIN_FEATURE(gst_element_factory_find(muxer));
  GstPluginFeature* const loaded = found == nullptr ? nullptr : gst_plugin_feature_load(found);
  if (loaded == nullptr) return false;
  GTypeQuery parent;
  g_type_query(gst_element_factory_get_element_type(GST_ELEMENT_FACTORY(loaded)), &parent);
  gst_object_unref(found);
  gst_object_unref(loaded);
  GTypeInfo info{};
  info.class_size = static_cast<guint16>(parent.class_size);
  info.instance_size = static_cast<guint16>(parent.instance_size);
  info.class_init = [](gpointer type, gpointer) { GST_ELEMENT_CLASS(type)->request_new_pad = &new_track; };
  const GType type = g_type_register_static(parent.type, "ReelHanging", &info, GTypeFlags{});
  return gst_element_register(nullptr, muxer, GST_RANK_NONE, type) != FALSE;
}

void steer_encoder(const std::string& file, const std::string& text) {
  std::ofstream(file + ".new") << text << '\n';
  std::filesystem::rename(file + ".new", file);
}

}  // namespace reel_test
