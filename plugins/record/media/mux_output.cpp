#include "mux_output.hpp"

#include <algorithm>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/gst/read_map.hpp>

namespace record {

MuxOutput::MuxOutput(ByteSink& sink, std::function<void()> on_end, std::function<void(int)> on_failure)
    : sink_(&sink),
      on_end_(std::move(on_end)),
      on_failure_(std::move(on_failure)),
      pad_(static_cast<GstPad*>(gst_object_ref_sink(gst_pad_new("file", GST_PAD_SINK)))) {
  gst_pad_set_element_private(pad_.get(), this);
  gst_pad_set_chain_function(pad_.get(), &MuxOutput::on_buffer);
  gst_pad_set_event_function(pad_.get(), &MuxOutput::on_event);
  gst_pad_set_query_function(pad_.get(), &MuxOutput::on_query);
  gst_pad_set_active(pad_.get(), TRUE);
}

MuxOutput::~MuxOutput() {
  gst_pad_set_active(pad_.get(), FALSE);
}

void MuxOutput::detach() {
  const std::lock_guard lock(mutex_);
  sink_ = nullptr;
}

void MuxOutput::attach(GstElement* muxer) {
  const reel::gst::Ptr<GstPad> from(gst_element_get_static_pad(muxer, "src"));
  // Elements in a pipeline link with others in it; this end is in none.
  if (gst_pad_link_full(from.get(), pad_.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK)
    throw reel::Error(reel::ErrorCode::internal, "GStreamer does not link a muxer to what writes its bytes");
}

GstFlowReturn MuxOutput::write(GstBuffer* buffer) {
  if (failed_) return GST_FLOW_ERROR;
  const reel::gst::ReadMap map(buffer);
  const std::lock_guard lock(mutex_);
  if (sink_ == nullptr) return GST_FLOW_ERROR;
  writing_.store(true, std::memory_order_relaxed);
  const int error = sink_->write(place_, map.bytes());
  writing_.store(false, std::memory_order_relaxed);
  if (error != 0) {
    failed_ = true;
    on_failure_(error);
    return GST_FLOW_ERROR;
  }
  place_ += map.bytes().size();
  bytes_.store(std::max(bytes_.load(std::memory_order_relaxed), place_), std::memory_order_relaxed);
  return GST_FLOW_OK;
}

GstFlowReturn MuxOutput::on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
  const reel::gst::Ptr<GstBuffer> owned(buffer);
  return static_cast<MuxOutput*>(gst_pad_get_element_private(pad))->write(buffer);
}

gboolean MuxOutput::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  auto& output = *static_cast<MuxOutput*>(gst_pad_get_element_private(pad));
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    if (segment->format == GST_FORMAT_BYTES) output.place_ = segment->start;
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    output.on_end_();
  }
  gst_event_unref(event);
  return TRUE;
}

// Muxers ask whether they may go back to fill in what they did not know at the start.
gboolean MuxOutput::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_SEEKING) return gst_pad_query_default(pad, parent, query);
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
  gst_query_set_seeking(query, format, format == GST_FORMAT_BYTES ? TRUE : FALSE, 0, -1);
  return TRUE;
}

}  // namespace record
