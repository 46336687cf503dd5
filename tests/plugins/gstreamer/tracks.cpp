#include "tracks.hpp"

#include <reel/gst/pointers.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::gst::Ptr;

// FNV-1a.
std::uint64_t hashed(std::uint64_t hash, const std::uint8_t* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ data[i]) * 1099511628211u;
  return hash;
}

GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer to) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  GstMapInfo map{};
  gst_buffer_map(buffer, &map, GST_MAP_READ);
  static_cast<Track*>(to)->add(gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)),
                               map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  gst_event_unref(event);
  return GST_PAD_PROBE_OK;
}

void watch(GstElement* pipeline, const char* name, Track& track) {
  const Ptr<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline), name));
  if (!sink) return;
  const Ptr<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, &track, nullptr);
}

}  // namespace

std::uint64_t Track::bytes() const {
  std::uint64_t sum = 0;
  for (const Piece& piece : pieces) sum += piece.bytes;
  return sum;
}

void Track::add(GstClockTime pts, const std::uint8_t* data, std::size_t size) {
  pieces.push_back({pts, size, hashed(14695981039346656037u, data, size)});
  all_ = hashed(all_, data, size);
}

Film play_film(const std::string& line) {
  set_up();
  Film film;
  GError* problem = nullptr;
  const Ptr<GstElement> pipeline(gst_parse_launch(line.c_str(), &problem));
  if (problem != nullptr) {
    film.error = problem->message;
    g_error_free(problem);
    return film;
  }
  watch(pipeline.get(), "video", film.video);
  watch(pipeline.get(), "audio", film.audio);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const Ptr<GstMessage> end(gst_bus_timed_pop_filtered(
      bus.get(), 120 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (!end) film.error = "it did not end";
  if (end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(end.get(), &error, nullptr);
    film.error = error->message;
    g_error_free(error);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return film;
}

}  // namespace gstreamer_test
