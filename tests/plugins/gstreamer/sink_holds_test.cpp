// What reelsink keeps of what it was given: nothing.
#include "pipelines.hpp"

#include <atomic>

#include <gtest/gtest.h>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace gstreamer_test {
namespace {

TEST(SinkHolds, NoBufferThatWasPublished) {
  const reel_test::TempRuntimeDir runtime;
  const std::string stream = reel_test::unique_name("gst");
  Receiver receiver("reelsrc name=source policy=lossless stream=" + stream);
  GError* error = nullptr;
  GstElement* const pipeline =
      gst_parse_launch(("appsrc name=in format=time caps=application/x-test ! reelsink sync=false "
                        "wait-for-readers=1 stream=" +
                        stream)
                           .c_str(),
                       &error);
  ASSERT_EQ(error, nullptr) << error->message;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  std::atomic<bool> gone{false};
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 1000, nullptr);
  gst_mini_object_weak_ref(
      GST_MINI_OBJECT(buffer),
      [](gpointer flag, GstMiniObject*) { static_cast<std::atomic<bool>*>(flag)->store(true); }, &gone);
  GstElement* const in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(in, "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  EXPECT_EQ(flow, GST_FLOW_OK);
  EXPECT_TRUE(receiver.wait_for(1));
  EXPECT_TRUE(reel_test::wait_until([&] { return gone.load(); })) << "a slot that no one would get";
  g_signal_emit_by_name(in, "end-of-stream", &flow);
  EXPECT_EQ(receiver.wait_for_end(), "eos");
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

}  // namespace
}  // namespace gstreamer_test
