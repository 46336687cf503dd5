// Owners of GStreamer's reference-counted objects. Single-thread, movable; the objects themselves are
// thread-safe.
#pragma once

#include <memory>

#include <gst/gst.h>

namespace reel::gst {

struct Unref {
  void operator()(GstCaps* caps) const noexcept { gst_caps_unref(caps); }
  void operator()(GstSample* sample) const noexcept { gst_sample_unref(sample); }
  void operator()(GstBuffer* buffer) const noexcept { gst_buffer_unref(buffer); }
  void operator()(GstMessage* message) const noexcept { gst_message_unref(message); }
  void operator()(GstElement* element) const noexcept { gst_object_unref(element); }
  void operator()(GstPad* pad) const noexcept { gst_object_unref(pad); }
  void operator()(GstBus* bus) const noexcept { gst_object_unref(bus); }
  void operator()(GstClock* clock) const noexcept { gst_object_unref(clock); }
  void operator()(GstBufferPool* pool) const noexcept { gst_object_unref(pool); }
  void operator()(GError* error) const noexcept { g_error_free(error); }
  void operator()(gchar* text) const noexcept { g_free(text); }
};

/// One reference, given back at the end of its owner's life.
template <typename Object>
using Ptr = std::unique_ptr<Object, Unref>;
using Text = std::unique_ptr<gchar, Unref>;

}  // namespace reel::gst
