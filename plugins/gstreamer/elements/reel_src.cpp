#include "reel_src.hpp"

#include <new>

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include <reel/channel/runtime_dir.hpp>

#include "source.hpp"
#include "src_settings.hpp"
#include "src_uri.hpp"

struct ReelSrc {
  GstPushSrc parent;
  reel::gst::SrcSettings settings;  // under the object lock
  std::string uri_query;            // the same: of the URI that was set last
  reel::gst::Source source;
};
struct ReelSrcClass {
  GstPushSrcClass parent_class;
};

GST_DEBUG_CATEGORY(reel_src_debug);
#define GST_CAT_DEFAULT reel_src_debug

static void reel_src_uri_init(gpointer interface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(ReelSrc, reel_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, reel_src_uri_init))

namespace {

using reel::gst::SrcProperty;

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

ReelSrc* self_of(gpointer object) {
  return reinterpret_cast<ReelSrc*>(object);
}

// While it runs, a name that no stream can have leaves the element with the stream it has.
bool refuse_bad_target(ReelSrc* self, const std::string& stream) {
  if (reel::valid_stream_name(stream) || GST_STATE(self) <= GST_STATE_READY) return false;
  GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS, ("\"%s\" cannot name a stream.", stream.c_str()),
                      ("names are 1 to %zu lower-case letters, digits and . _ -, beginning with a letter or "
                       "digit; the stream stays the one it was",
                       reel::kMaxStreamName));
  return true;
}

void set_stream(ReelSrc* self, const GValue* value) {
  const gchar* text = g_value_get_string(value);
  const std::string stream = text != nullptr ? text : "";
  if (refuse_bad_target(self, stream)) return;
  GST_OBJECT_LOCK(self);
  self->settings.stream = stream;
  GST_OBJECT_UNLOCK(self);
  self->source.retarget(stream);
}

// Into `settings`, or is-live into the base class. The object lock is the caller's.
bool set_at_start(ReelSrc* self, SrcProperty property, const GValue* value) {
  if (property != SrcProperty::is_live) return reel::gst::set_src_property(self->settings, property, value);
  GST_BASE_SRC(self)->is_live = g_value_get_boolean(value);
  return true;
}

// The same: whether it would be another value.
bool would_change(const ReelSrc* self, SrcProperty property, const GValue* value) {
  if (property == SrcProperty::is_live) return GST_BASE_SRC(self)->is_live != g_value_get_boolean(value);
  reel::gst::SrcSettings other = self->settings;
  return reel::gst::set_src_property(other, property, value) && other != self->settings;
}

// What counts at the start alone stays what it was until the element is stopped: as with filesink's location.
// The base class sets STARTING under the object lock before start() copies the settings.
void set_before_start(ReelSrc* self, SrcProperty property, const GValue* value, GParamSpec* spec) {
  GST_OBJECT_LOCK(self);
  const bool runs = GST_BASE_SRC_IS_STARTING(self) || GST_BASE_SRC_IS_STARTED(self);
  const bool too_late = runs && would_change(self, property, value);
  const bool known = runs || set_at_start(self, property, value);
  GST_OBJECT_UNLOCK(self);
  if (too_late)
    GST_WARNING_OBJECT(self, "%s is not changed: it can be in the states NULL and READY", spec->name);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(G_OBJECT(self), static_cast<guint>(property), spec);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  ReelSrc* self = self_of(object);
  const auto property = static_cast<SrcProperty>(id);
  if (property == SrcProperty::stream)
    set_stream(self, value);
  else
    set_before_start(self, property, value, spec);
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

// At the start, when it plays and when the property is set, rather than for each frame: the base class's
// getter looks its type up, and its setter, which subclasses call, tells nobody.
void follow_do_timestamp(ReelSrc* self) {
  self->source.set_stamped_anew(gst_base_src_get_do_timestamp(GST_BASE_SRC(self)) != FALSE);
}

void notify(GObject* object, GParamSpec* spec) {
  if (g_str_equal(spec->name, "do-timestamp") != FALSE) follow_do_timestamp(self_of(object));
  GObjectClass* const parent = G_OBJECT_CLASS(reel_src_parent_class);
  if (parent->notify != nullptr) parent->notify(object, spec);
}

void finalize(GObject* object) {
  ReelSrc* self = self_of(object);
  self->source.~Source();
  self->uri_query.~basic_string();
  self->settings.~SrcSettings();
  G_OBJECT_CLASS(reel_src_parent_class)->finalize(object);
}

gboolean start(GstBaseSrc* base) {
  ReelSrc* self = self_of(base);
  GST_OBJECT_LOCK(base);
  const reel::gst::SrcSettings settings = self->settings;
  GST_OBJECT_UNLOCK(base);
  follow_do_timestamp(self);
  if (settings.stream.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("No stream is named."),
                      ("set the property 'stream', as in: reelsrc stream=camera"));
    return FALSE;
  }
  if (!self->source.open(settings)) return FALSE;
  // Another one was named since the copy, when there was nothing yet to tell of it.
  GST_OBJECT_LOCK(base);
  const std::string named = self->settings.stream;
  GST_OBJECT_UNLOCK(base);
  if (named != settings.stream) self->source.retarget(named);
  return TRUE;
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

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  reel::gst::Source& source = self_of(element)->source;
  const bool live = gst_base_src_is_live(GST_BASE_SRC(element)) != FALSE;
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING) follow_do_timestamp(self_of(element));
  if (live && change == GST_STATE_CHANGE_PLAYING_TO_PAUSED) source.pause();
  if (live && change == GST_STATE_CHANGE_PAUSED_TO_PLAYING && !source.play()) return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS(reel_src_parent_class)->change_state(element, change);
}

// Caps are the stream's: they are pushed with its first frame, and asked of nobody.
gboolean negotiate(GstBaseSrc* /*base*/) {
  return TRUE;
}

// The frames' memory is the stream's: a pool of downstream's would be allocated for nothing.
gboolean decide_allocation(GstBaseSrc* base, GstQuery* query) {
  while (gst_query_get_n_allocation_pools(query) > 0) gst_query_remove_nth_allocation_pool(query, 0);
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (caps != nullptr)
    self_of(base)->source.set_any_layout(
        gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) != FALSE);
  return TRUE;
}

gboolean is_seekable(GstBaseSrc* /*base*/) {
  return FALSE;
}

gboolean query(GstBaseSrc* base, GstQuery* asked) {
  if (GST_QUERY_TYPE(asked) != GST_QUERY_LATENCY || gst_base_src_is_live(base) == FALSE)
    return GST_BASE_SRC_CLASS(reel_src_parent_class)->query(base, asked);
  const auto latency = self_of(base)->source.latency();
  gst_query_set_latency(asked, TRUE, latency.least, latency.most);
  return TRUE;
}

gboolean event(GstBaseSrc* base, GstEvent* asked) {
  if (gst_video_event_is_force_key_unit(asked) != FALSE) {
    self_of(base)->source.ask_for_key_frame();
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(reel_src_parent_class)->event(base, asked);
}

// The streaming thread tells of its begin and its end itself.
gboolean post_message(GstElement* element, GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS &&
      GST_MESSAGE_SRC(message) == GST_OBJECT(GST_BASE_SRC_PAD(element))) {
    GstStreamStatusType status{};
    gst_message_parse_stream_status(message, &status, nullptr);
    if (status == GST_STREAM_STATUS_TYPE_ENTER) self_of(element)->source.enter_thread();
    if (status == GST_STREAM_STATUS_TYPE_LEAVE) self_of(element)->source.leave_thread();
  }
  return GST_ELEMENT_CLASS(reel_src_parent_class)->post_message(element, message);
}

GstFlowReturn create(GstPushSrc* push, GstBuffer** buffer) {
  return self_of(push)->source.create(buffer);
}

// --- reel://stream ---

GstURIType uri_type(GType /*type*/) {
  return GST_URI_SRC;
}

const gchar* const* uri_protocols(GType /*type*/) {
  static const gchar* const protocols[] = {reel::gst::kUriScheme, nullptr};
  return protocols;
}

gchar* get_uri(GstURIHandler* handler) {
  ReelSrc* self = self_of(handler);
  GST_OBJECT_LOCK(self);
  const std::string stream = self->settings.stream;
  const std::string query = self->uri_query.empty() ? "" : "?" + self->uri_query;
  GST_OBJECT_UNLOCK(self);
  return stream.empty() ? nullptr : g_strconcat("reel://", stream.c_str(), query.c_str(), nullptr);
}

gboolean set_uri(GstURIHandler* handler, const gchar* uri, GError** error) {
  if (reel::gst::apply_uri(GST_ELEMENT(handler), uri, error) == FALSE) return FALSE;
  ReelSrc* self = self_of(handler);
  GST_OBJECT_LOCK(self);
  self->uri_query = reel::gst::query_part(uri);
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

// `stream` and the number of writers met so far; `stream` and why it is over.
void install_signals(GObjectClass* klass) {
  g_signal_new("connected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
               G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT64);
  g_signal_new("disconnected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
               G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

void install_texts(GstElementClass* klass) {
  gst_element_class_set_static_metadata(
      klass, "Reel source", "Source",
      "Reads frames of another process out of shared memory, checked and without a copy. Caps, times, tags "
      "and events come with them; the writer may come, go and come back",
      "Reel");
  gst_element_class_add_static_metadata(klass, "example",
                                        "gst-launch-1.0 reelsrc stream=a ! videoconvert ! autovideosink");
  gst_element_class_add_static_metadata(
      klass, "example-sender",
      "gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,width=1280,height=720 ! reelsink stream=a");
  gst_element_class_add_static_metadata(
      klass, "example-every-frame",
      "gst-launch-1.0 reelsrc stream=a is-live=false policy=lossless ! videoconvert ! x264enc ! mp4mux ! "
      "filesink location=a.mp4");
  gst_element_class_add_static_metadata(klass, "example-uri",
                                        "gst-play-1.0 'reel://a?policy=latest&on-disconnect=eos'");
  gst_element_class_add_static_metadata(klass, "signal-connected",
                                        "(stream, writers met so far), from the streaming thread");
  gst_element_class_add_static_metadata(
      klass, "signal-disconnected",
      "(stream, reason), reason one of: ended, lost, switched, stopped; from the streaming thread");
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
  object_class->notify = notify;
  object_class->finalize = finalize;
  reel::gst::install_src_properties(object_class);
  install_signals(object_class);
  install_texts(element_class);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  element_class->change_state = change_state;
  element_class->post_message = post_message;
  base_class->start = start;
  base_class->stop = stop;
  base_class->unlock = unlock;
  base_class->unlock_stop = unlock_stop;
  base_class->negotiate = negotiate;
  base_class->decide_allocation = decide_allocation;
  base_class->is_seekable = is_seekable;
  base_class->query = query;
  base_class->event = event;
  GST_PUSH_SRC_CLASS(klass)->create = create;
}

static void reel_src_init(ReelSrc* self) {
  new (&self->settings) reel::gst::SrcSettings();
  new (&self->uri_query) std::string();
  new (&self->source) reel::gst::Source(&self->parent);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  // The end comes from the stream: a segment's stop is a presentation time, which frames in decoding order
  // reach before the last of them is there.
  gst_base_src_set_automatic_eos(GST_BASE_SRC(self), FALSE);
}

GType reel::gst::reel_src_get_type() {
  return ::reel_src_get_type();
}
