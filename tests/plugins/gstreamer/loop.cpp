#include "loop.hpp"

#include <gtest/gtest.h>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

std::string error_on(GstElement* pipeline) {
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline));
  const Ptr<GstMessage> message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  if (!message) return {};
  GError* error = nullptr;
  gchar* details = nullptr;
  gst_message_parse_error(message.get(), &error, &details);
  std::string text = std::string(error->message) + " " + (details != nullptr ? details : "");
  g_error_free(error);
  g_free(details);
  return text;
}

GstElement* parsed(const std::string& line) {
  GError* error = nullptr;
  GstElement* element = gst_parse_launch(line.c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  return element;
}

}  // namespace

Feeder::Feeder(const std::string& stream, const std::string& properties) {
  set_up();
  pipeline_ = gst_pipeline_new(nullptr);
  sink_ = parsed("reelsink sync=false async=false stream=" + stream + " " + properties);
  gst_object_ref(sink_);
  gst_bin_add(GST_BIN(pipeline_), sink_);
  pad_ = gst_pad_new("feed", GST_PAD_SRC);
  const Ptr<GstPad> into(gst_element_get_static_pad(sink_, "sink"));
  EXPECT_EQ(gst_pad_link_full(pad_, into.get(), GST_PAD_LINK_CHECK_NOTHING), GST_PAD_LINK_OK);
  gst_pad_set_active(pad_, TRUE);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
}

Feeder::~Feeder() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_pad_set_active(pad_, FALSE);
  gst_object_unref(pad_);
  gst_object_unref(sink_);
  gst_object_unref(pipeline_);
}

bool Feeder::begin(const std::string& caps_text) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  return send(gst_event_new_stream_start("test")) && caps(caps_text) && send(gst_event_new_segment(&segment));
}

bool Feeder::caps(const std::string& text) {
  const Ptr<GstCaps> given(gst_caps_from_string(text.c_str()));
  EXPECT_TRUE(given) << text;
  return given && send(gst_event_new_caps(given.get()));
}

bool Feeder::send(GstEvent* event) {
  return gst_pad_push_event(pad_, event) != FALSE;
}

GstFlowReturn Feeder::push(Ptr<GstBuffer> buffer) {
  return gst_pad_push(pad_, buffer.release());
}

void Feeder::end() {
  send(gst_event_new_eos());
}

GstStructure* Feeder::stats() const {
  GstStructure* stats = nullptr;
  g_object_get(sink_, "stats", &stats, nullptr);
  return stats;
}

std::string Feeder::error() const {
  return error_on(pipeline_);
}

Collector::Collector(const std::string& stream, const std::string& properties) {
  set_up();
  pipeline_ =
      parsed("reelsrc name=in stream=" + stream + " " + properties + " ! fakesink sync=false async=false");
  const Ptr<GstElement> source(gst_bin_get_by_name(GST_BIN(pipeline_), "in"));
  const Ptr<GstPad> pad(gst_element_get_static_pad(source.get(), "src"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM), on_item,
      this, nullptr);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
}

Collector::~Collector() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
  for (GstMiniObject* item : items_) gst_mini_object_unref(item);
}

GstPadProbeReturn Collector::on_item(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* collector = static_cast<Collector*>(self);
  const std::lock_guard lock(collector->mutex_);
  collector->items_.push_back(gst_mini_object_ref(GST_MINI_OBJECT_CAST(GST_PAD_PROBE_INFO_DATA(info))));
  return GST_PAD_PROBE_OK;
}

bool Collector::wait_for_buffers(std::size_t count) const {
  return reel_test::wait_until([&] { return buffers().size() >= count; });
}

bool Collector::wait_for_event(GstEventType type, std::size_t count) const {
  return reel_test::wait_until([&] { return events(type).size() >= count; });
}

std::vector<GstBuffer*> Collector::buffers() const {
  const std::lock_guard lock(mutex_);
  std::vector<GstBuffer*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_BUFFER(item)) found.push_back(GST_BUFFER_CAST(item));
  }
  return found;
}

std::vector<GstEvent*> Collector::events(GstEventType type) const {
  const std::lock_guard lock(mutex_);
  std::vector<GstEvent*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_EVENT(item) && GST_EVENT_TYPE(item) == type) found.push_back(GST_EVENT_CAST(item));
  }
  return found;
}

std::vector<std::string> Collector::order() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (GstMiniObject* item : items_)
    names.emplace_back(GST_IS_BUFFER(item) ? "buffer" : gst_event_type_get_name(GST_EVENT_TYPE(item)));
  return names;
}

std::string Collector::error() const {
  return error_on(pipeline_);
}

Ptr<GstBuffer> counting(std::size_t bytes, unsigned first) {
  Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, bytes, nullptr));
  GstMapInfo map{};
  gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
  for (std::size_t i = 0; i < bytes; ++i) map.data[i] = static_cast<guint8>(first + i);
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

std::string bytes_of(GstBuffer* buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace gstreamer_test
