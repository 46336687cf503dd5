#include "reel_src.hpp"

#include <new>

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include "source.hpp"
#include "src_settings.hpp"

struct ReelSrc {
  GstPushSrc parent;
  reel::gst::SrcSettings settings;  // under the object lock
  reel::gst::Source source;
};
struct ReelSrcClass {
  GstPushSrcClass parent_class;
};

namespace {

using reel::gst::SrcProperty;

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

GST_DEBUG_CATEGORY_STATIC(reel_src_debug);

}  // namespace

#define GST_CAT_DEFAULT reel_src_debug

static void reel_src_uri_init(gpointer interface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(ReelSrc, reel_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, reel_src_uri_init))

namespace {

ReelSrc* self_of(gpointer object) {
  return reinterpret_cast<ReelSrc*>(object);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  ReelSrc* self = self_of(object);
  const auto property = static_cast<SrcProperty>(id);
  if (property == SrcProperty::is_live) {
    gst_base_src_set_live(GST_BASE_SRC(object), g_value_get_boolean(value));
    return;
  }
  GST_OBJECT_LOCK(object);
  const bool known = reel::gst::set_src_property(self->settings, property, value);
  const std::string stream = self->settings.stream;
  GST_OBJECT_UNLOCK(object);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  if (property == SrcProperty::stream) self->source.retarget(stream);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  ReelSrc* self = self_of(object);
  const auto property = static_cast<SrcProperty>(id);
  if (property == SrcProperty::is_live) {
    g_value_set_boolean(value, gst_base_src_is_live(GST_BASE_SRC(object)));
  } else if (property == SrcProperty::stats) {
    g_value_take_boxed(value, self->source.stats());
  } else {
    GST_OBJECT_LOCK(object);
    const bool known = reel::gst::get_src_property(self->settings, property, value);
    GST_OBJECT_UNLOCK(object);
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  ReelSrc* self = self_of(object);
  self->source.~Source();
  self->settings.~SrcSettings();
  G_OBJECT_CLASS(reel_src_parent_class)->finalize(object);
}

gboolean start(GstBaseSrc* base) {
  ReelSrc* self = self_of(base);
  GST_OBJECT_LOCK(base);
  const reel::gst::SrcSettings settings = self->settings;
  GST_OBJECT_UNLOCK(base);
  if (settings.stream.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("No stream is named."),
                      ("set the property 'stream', as in: reelsrc stream=camera"));
    return FALSE;
  }
  return static_cast<gboolean>(self->source.open(settings));
}

gboolean stop(GstBaseSrc* base) {
  self_of(base)->source.close();
  return TRUE;
}

gboolean unlock(GstBaseSrc* base) {
  self_of(base)->source.unlock();
  return TRUE;
}

gboolean unlock_stop(GstBaseSrc* base) {
  self_of(base)->source.resume();
  return TRUE;
}

// Caps are the stream's: they are pushed with its first frame.
gboolean negotiate(GstBaseSrc* /*base*/) {
  return TRUE;
}

gboolean is_seekable(GstBaseSrc* /*base*/) {
  return FALSE;
}

// A frame is whole before it can be read: its own duration is the least latency. At most what the ring keeps,
// which the writer decides: no bound.
gboolean query(GstBaseSrc* base, GstQuery* asked) {
  if (GST_QUERY_TYPE(asked) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS(reel_src_parent_class)->query(base, asked);
  gst_query_set_latency(asked, gst_base_src_is_live(base), self_of(base)->source.frame_duration_ns(),
                        GST_CLOCK_TIME_NONE);
  return TRUE;
}

gboolean event(GstBaseSrc* base, GstEvent* asked) {
  if (gst_video_event_is_force_key_unit(asked) != FALSE) {
    self_of(base)->source.ask_for_key_frame();
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(reel_src_parent_class)->event(base, asked);
}

GstFlowReturn create(GstPushSrc* push, GstBuffer** buffer) {
  return self_of(push)->source.create(buffer);
}

// --- reel://stream ---

GstURIType uri_type(GType /*type*/) {
  return GST_URI_SRC;
}

const gchar* const* uri_protocols(GType /*type*/) {
  static const gchar* const protocols[] = {"reel", nullptr};
  return protocols;
}

gchar* get_uri(GstURIHandler* handler) {
  ReelSrc* self = self_of(handler);
  GST_OBJECT_LOCK(self);
  gchar* uri = self->settings.stream.empty() ? nullptr
                                             : g_strconcat("reel://", self->settings.stream.c_str(), nullptr);
  GST_OBJECT_UNLOCK(self);
  return uri;
}

gboolean set_uri(GstURIHandler* handler, const gchar* uri, GError** error) {
  const gchar* const name = uri + sizeof "reel://" - 1;
  if (g_str_has_prefix(uri, "reel://") == FALSE || *name == '\0') {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "\"%s\" names no stream: reel://STREAM", uri);
    return FALSE;
  }
  g_object_set(handler, "stream", name, nullptr);
  return TRUE;
}

}  // namespace

static void reel_src_uri_init(gpointer interface, gpointer /*data*/) {
  auto* uri = static_cast<GstURIHandlerInterface*>(interface);
  uri->get_type = uri_type;
  uri->get_protocols = uri_protocols;
  uri->get_uri = get_uri;
  uri->set_uri = set_uri;
}

static void reel_src_class_init(ReelSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(reel_src_debug, "reelsrc", 0, "Reel source");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  auto* base_class = GST_BASE_SRC_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  reel::gst::install_src_properties(object_class);
  gst_element_class_set_static_metadata(
      element_class, "Reel source", "Source",
      "Reads frames of another process out of shared memory, checked and without a copy", "Reel");
  gst_element_class_add_static_pad_template(element_class, &src_template);
  base_class->start = start;
  base_class->stop = stop;
  base_class->unlock = unlock;
  base_class->unlock_stop = unlock_stop;
  base_class->negotiate = negotiate;
  base_class->is_seekable = is_seekable;
  base_class->query = query;
  base_class->event = event;
  GST_PUSH_SRC_CLASS(klass)->create = create;
}

static void reel_src_init(ReelSrc* self) {
  new (&self->settings) reel::gst::SrcSettings();
  new (&self->source) reel::gst::Source(&self->parent);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

GType reel::gst::reel_src_get_type() {
  return ::reel_src_get_type();
}
