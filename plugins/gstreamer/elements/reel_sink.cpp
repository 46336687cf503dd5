#include "reel_sink.hpp"

#include <new>
#include <utility>

#include <gst/base/gstbasesink.h>

#include <reel/gst/caps.hpp>

#include "sink.hpp"
#include "sink_settings.hpp"

struct ReelSink {
  GstBaseSink parent;
  reel::gst::SinkSettings settings;  // under the object lock
  bool opened_with_these;            // the same
  bool in_use;                       // the same: from READY to PAUSED until back in READY
  reel::gst::Sink sink;
};
struct ReelSinkClass {
  GstBaseSinkClass parent_class;
};

GST_DEBUG_CATEGORY(reel_sink_debug);
#define GST_CAT_DEFAULT reel_sink_debug

G_DEFINE_TYPE(ReelSink, reel_sink, GST_TYPE_BASE_SINK)

namespace {

using reel::gst::SinkProperty;

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

ReelSink* self_of(gpointer object) {
  return reinterpret_cast<ReelSink*>(object);
}

// What the stream was opened with stays what is read: as with filesink's location.
void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  ReelSink* self = self_of(object);
  const auto property = static_cast<SinkProperty>(id);
  GST_OBJECT_LOCK(object);
  reel::gst::SinkSettings wanted = self->settings;
  const bool known = reel::gst::set_sink_property(wanted, property, value);
  const bool changes = known && !reel::gst::equal_in(property, wanted, self->settings, spec);
  const bool too_late = changes && self->in_use;
  if (changes && !too_late) {
    self->settings = std::move(wanted);
    self->opened_with_these = false;
  }
  GST_OBJECT_UNLOCK(object);
  if (too_late)
    GST_WARNING_OBJECT(object, "%s is not changed: it can be in the states NULL and READY", spec->name);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  ReelSink* self = self_of(object);
  const auto property = static_cast<SinkProperty>(id);
  if (property == SinkProperty::num_clients) {
    g_value_set_uint(value, self->sink.clients());
  } else if (property == SinkProperty::stats) {
    g_value_take_boxed(value, self->sink.stats());
  } else {
    GST_OBJECT_LOCK(object);
    const bool known = reel::gst::get_sink_property(self->settings, property, value);
    GST_OBJECT_UNLOCK(object);
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  ReelSink* self = self_of(object);
  self->sink.~Sink();
  self->settings.~SinkSettings();
  G_OBJECT_CLASS(reel_sink_parent_class)->finalize(object);
}

gboolean start(GstBaseSink* base) {
  ReelSink* self = self_of(base);
  GST_OBJECT_LOCK(base);
  const reel::gst::SinkSettings settings = self->settings;
  self->opened_with_these = true;
  GST_OBJECT_UNLOCK(base);
  if (settings.stream.empty()) {
    GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("No stream is named."),
                      ("set the property 'stream', as in: reelsink stream=camera"));
    return FALSE;
  }
  return static_cast<gboolean>(self->sink.open(settings));
}

gboolean stop(GstBaseSink* base) {
  self_of(base)->sink.close();
  return TRUE;
}

gboolean unlock(GstBaseSink* base) {
  self_of(base)->sink.unlock();
  return TRUE;
}

gboolean unlock_stop(GstBaseSink* base) {
  self_of(base)->sink.resume();
  return TRUE;
}

// Anything, but for memory that cannot be mapped: elements that could download it then do. Caps that come all
// the same are refused by set_caps(), which says why. One that offers nothing else gives up before: it is
// told here.
GstCaps* get_caps(GstBaseSink* base, GstCaps* filter) {
  if (filter != nullptr) self_of(base)->sink.tell_of_refused(filter);
  return filter == nullptr ? gst_caps_new_any() : reel::gst::without_other_memory(filter).release();
}

gboolean set_caps(GstBaseSink* base, GstCaps* caps) {
  return static_cast<gboolean>(self_of(base)->sink.set_caps(caps));
}

GstFlowReturn render(GstBaseSink* base, GstBuffer* buffer) {
  return self_of(base)->sink.render(buffer);
}

gboolean propose_allocation(GstBaseSink* base, GstQuery* query) {
  return static_cast<gboolean>(self_of(base)->sink.propose_allocation(query));
}

// As buffers, serialized events come with the preroll lock held, but not only while PLAYING: with it nobody
// may wait for readers then, since a change to PLAYING waits for the lock.
template <typename Render>
void render_in_turn(GstBaseSink* base, GstEvent* given, Render&& render) {
  if (gst_base_sink_do_preroll(base, GST_MINI_OBJECT_CAST(given)) == GST_FLOW_OK) render();
}

// What the base class then does with it (waiting for the clock, for PLAYING, posting the end) it does behind
// us, so an end of stream is written first.
gboolean event(GstBaseSink* base, GstEvent* given) {
  reel::gst::Sink& sink = self_of(base)->sink;
  switch (GST_EVENT_TYPE(given)) {
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(given, &segment);
      sink.set_segment(*segment);
      break;
    }
    case GST_EVENT_TAG: {
      GstTagList* tags = nullptr;
      gst_event_parse_tag(given, &tags);
      (void)sink.set_tags(tags);
      break;
    }
    case GST_EVENT_GAP: {
      GstClockTime pts = GST_CLOCK_TIME_NONE;
      GstClockTime duration = GST_CLOCK_TIME_NONE;
      gst_event_parse_gap(given, &pts, &duration);
      render_in_turn(base, given, [&] { (void)sink.render_gap(pts, duration); });
      break;
    }
    case GST_EVENT_STREAM_START: sink.forget_tags(); break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      render_in_turn(base, given, [&] { (void)sink.render_event(given); });
      break;
    case GST_EVENT_EOS: sink.end(); break;
    case GST_EVENT_FLUSH_START: sink.set_flushing(true); break;
    case GST_EVENT_FLUSH_STOP:
      sink.set_flushing(false);
      sink.flushed();
      break;
    default: break;
  }
  return GST_BASE_SINK_CLASS(reel_sink_parent_class)->event(base, given);
}

void set_in_use(ReelSink* self, bool on) {
  GST_OBJECT_LOCK(self);
  self->in_use = on;
  GST_OBJECT_UNLOCK(self);
}

// The base class opens on the way to READY, where properties may still be set, until this has looked at them.
bool open_with_what_was_set(ReelSink* self) {
  for (;;) {
    GST_OBJECT_LOCK(self);
    self->in_use = self->opened_with_these;
    const bool opened = self->opened_with_these;
    GST_OBJECT_UNLOCK(self);
    if (opened) return true;
    stop(&self->parent);
    if (start(&self->parent) != FALSE) continue;
    GST_OBJECT_LOCK(self);
    self->opened_with_these = false;
    GST_OBJECT_UNLOCK(self);
    return false;
  }
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  reel::gst::Sink& sink = self_of(element)->sink;
  switch (change) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!open_with_what_was_set(self_of(element))) return GST_STATE_CHANGE_FAILURE;
      sink.set_flushing(false);
      sink.play();
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING: sink.clock_changed(); break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED: sink.pause(); break;
    case GST_STATE_CHANGE_PAUSED_TO_READY: sink.set_flushing(true); break;
    default: break;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(reel_sink_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING) sink.play();
  const bool failed = result == GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY || (change == GST_STATE_CHANGE_READY_TO_PAUSED && failed))
    set_in_use(self_of(element), false);
  return result;
}

}  // namespace

static void reel_sink_class_init(ReelSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(reel_sink_debug, "reelsink", 0, "Reel sink");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  auto* base_class = GST_BASE_SINK_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  reel::gst::install_sink_properties(object_class);
  const auto add_signal = [klass](const char* name) {
    g_signal_new(name, G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE,
                 2, G_TYPE_UINT, G_TYPE_STRING);
  };
  add_signal("client-connected");     // process id, name of the reader (may be empty)
  add_signal("client-disconnected");  // the same
  gst_element_class_set_static_metadata(
      element_class, "Reel sink", "Sink/Generic",
      "Publishes frames to other processes through shared memory, checksummed, by a policy for each reader",
      "Reel");
  gst_element_class_add_static_metadata(
      element_class, "example", "gst-launch-1.0 videotestsrc ! video/x-raw,format=NV12 ! reelsink stream=a");
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  element_class->change_state = change_state;
  base_class->start = start;
  base_class->stop = stop;
  base_class->unlock = unlock;
  base_class->unlock_stop = unlock_stop;
  base_class->get_caps = get_caps;
  base_class->set_caps = set_caps;
  base_class->render = render;
  base_class->propose_allocation = propose_allocation;
  base_class->event = event;
}

static void reel_sink_init(ReelSink* self) {
  // A buffer that is kept for being looked at keeps a slot of the ring; and letting go of the one before,
  // which the base class does in front of render(), would delay every frame.
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  new (&self->settings) reel::gst::SinkSettings();
  new (&self->sink) reel::gst::Sink(&self->parent);
}

GType reel::gst::reel_sink_get_type() {
  return ::reel_sink_get_type();
}
