#include "device.hpp"

#include <new>

#include <reel/gst/pointers.hpp>

struct ReelDevice {
  GstDevice parent;
  reel::gst::DeviceFacts facts;
};
struct ReelDeviceClass {
  GstDeviceClass parent_class;
};

G_DEFINE_TYPE(ReelDevice, reel_device, GST_TYPE_DEVICE)

namespace {

ReelDevice* self_of(gpointer object) {
  return reinterpret_cast<ReelDevice*>(object);
}

void finalize(GObject* object) {
  self_of(object)->facts.~DeviceFacts();
  G_OBJECT_CLASS(reel_device_parent_class)->finalize(object);
}

GstElement* create_element(GstDevice* device, const gchar* name) {
  GstElement* element = gst_element_factory_make("reelsrc", name);
  if (element != nullptr) g_object_set(element, "stream", self_of(device)->facts.stream.c_str(), nullptr);
  return element;
}

gboolean reconfigure_element(GstDevice* device, GstElement* element) {
  const GstElementFactory* factory = gst_element_get_factory(element);
  if (factory == nullptr || g_str_equal(GST_OBJECT_NAME(factory), "reelsrc") == FALSE) return FALSE;
  g_object_set(element, "stream", self_of(device)->facts.stream.c_str(), nullptr);
  return TRUE;
}

const char* class_of(const GstCaps* caps) {
  const gchar* media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  if (g_str_has_prefix(media, "audio/") != FALSE) return "Audio/Source";
  if (g_str_has_prefix(media, "video/") != FALSE || g_str_has_prefix(media, "image/") != FALSE)
    return "Video/Source";
  return "Source";
}

}  // namespace

static void reel_device_class_init(ReelDeviceClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = finalize;
  GST_DEVICE_CLASS(klass)->create_element = create_element;
  GST_DEVICE_CLASS(klass)->reconfigure_element = reconfigure_element;
}

static void reel_device_init(ReelDevice* self) {
  new (&self->facts) reel::gst::DeviceFacts();
}

GType reel::gst::device_get_type() {
  return reel_device_get_type();
}

GstDevice* reel::gst::new_device(const DeviceFacts& facts) {
  const Ptr<GstCaps> caps(gst_caps_from_string(facts.caps.c_str()));
  if (!caps || gst_caps_get_size(caps.get()) == 0) return nullptr;
  GstStructure* properties = gst_structure_new(
      "reel-proplist", "stream", G_TYPE_STRING, facts.stream.c_str(), "uri", G_TYPE_STRING,
      ("reel://" + facts.stream).c_str(), "writer-pid", G_TYPE_UINT, facts.writer_pid, "slots", G_TYPE_UINT,
      facts.slots, "live", G_TYPE_BOOLEAN, static_cast<gboolean>(facts.live), nullptr);
  auto* device = static_cast<GstDevice*>(
      g_object_new(device_get_type(), "display-name", facts.stream.c_str(), "caps", caps.get(),
                   "device-class", class_of(caps.get()), "properties", properties, nullptr));
  gst_structure_free(properties);
  self_of(device)->facts = facts;
  return device;
}

const reel::gst::DeviceFacts& reel::gst::facts_of(GstDevice* device) {
  return self_of(device)->facts;
}
