// reelsink's face: properties, queries, what the base class does with it.
#include "sender.hpp"

#include <algorithm>
#include <mutex>

#include <gmock/gmock.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>

#include "pipelines.hpp"
#include "property_names.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SinkProperties : public SinkTest {
 protected:
  [[nodiscard]] static GParamSpec* property(Sender& sender, const char* name) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(sender.sink()), name);
    EXPECT_NE(spec, nullptr) << name;
    return spec;
  }
  /// What the bus says when the sink is opened with `more`.
  std::string refusal(const std::string& more) {
    Sender sender(pictures(1) + sink(more));
    EXPECT_EQ(sender.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE) << more;
    return sender.error();  // the base class adds one, for elements that say nothing
  }
};

TEST_F(SinkProperties, EachSaysWhatItIsWithRangeDefaultAndWhenItMayChange) {
  Sender sender(pictures(1) + sink());
  for (const char* name : {"stream", "slots", "history", "checksum", "policy-limits", "wait-for-readers",
                           "wait-for", "start-timeout", "absence-timeout", "stall-timeout", "side-data-bytes",
                           "max-bytes", "mode", "is-live"}) {
    GParamSpec* spec = property(sender, name);
    ASSERT_NE(spec, nullptr);
    EXPECT_NE(spec->flags & G_PARAM_WRITABLE, 0u) << name;
    EXPECT_NE(spec->flags & GST_PARAM_MUTABLE_READY, 0u) << name;
    EXPECT_STRNE(g_param_spec_get_blurb(spec), "") << name;
  }
  for (const char* name : {"num-clients", "stats"}) {
    GParamSpec* spec = property(sender, name);
    ASSERT_NE(spec, nullptr);
    EXPECT_EQ(spec->flags & G_PARAM_WRITABLE, 0u) << name;
  }
  const auto* slots = G_PARAM_SPEC_UINT(property(sender, "slots"));
  EXPECT_EQ(slots->minimum, 2u);
  EXPECT_EQ(slots->maximum, 256u);
  EXPECT_EQ(slots->default_value, 16u);
}

TEST_F(SinkProperties, WhatIsSetIsWhatIsRead) {
  Sender sender(pictures(1) +
                sink("slots=33 history=3 checksum=sampled policy-limits=lossless,queue "
                     "wait-for-readers=2 wait-for=eye,a/b start-timeout=7000000001 absence-timeout=0 "
                     "stall-timeout=5000000000 side-data-bytes=1024 "
                     "max-bytes=123456789 mode=432 is-live=true"));
  guint slots = 0, history = 0, readers = 0, side = 0, mode = 0, clients = 9;
  guint64 start = 0, absence = 9, stall = 0, most = 0;
  gboolean live = FALSE;
  gchar *limits = nullptr, *names = nullptr;
  g_object_get(sender.sink(), "slots", &slots, "history", &history, "wait-for-readers", &readers,
               "stall-timeout", &stall, "side-data-bytes", &side, "max-bytes", &most, "mode", &mode,
               "is-live", &live, "policy-limits", &limits, "wait-for", &names, "start-timeout", &start,
               "absence-timeout", &absence, "num-clients", &clients, nullptr);
  EXPECT_EQ(slots, 33u);
  EXPECT_EQ(history, 3u);
  EXPECT_EQ(readers, 2u);
  EXPECT_STREQ(names, "eye,a/b");
  EXPECT_EQ(start, 7'001'000'000u) << "up, to milliseconds";
  EXPECT_EQ(absence, 0u);
  EXPECT_EQ(stall, 5'000'000'000u);
  EXPECT_EQ(side, 1024u);
  EXPECT_EQ(most, 123'456'789u);
  EXPECT_EQ(mode, 0660u);
  EXPECT_TRUE(live);
  EXPECT_STREQ(limits, "lossless,queue");
  EXPECT_EQ(clients, 0u);
  g_free(limits);
  g_free(names);
}

// The warnings of reelsink's own, while it lives.
class Warnings {
 public:
  Warnings() {
    gst_debug_set_threshold_for_name("reelsink", GST_LEVEL_WARNING);
    gst_debug_add_log_function(take, this, nullptr);
  }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings() {
    gst_debug_remove_log_function(take);
    gst_debug_unset_threshold_for_name("reelsink");
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  static void take(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint,
                   GObject*, GstDebugMessage* message, gpointer self) {
    if (level != GST_LEVEL_WARNING || std::string(gst_debug_category_get_name(category)) != "reelsink")
      return;
    auto* warnings = static_cast<Warnings*>(self);
    const std::lock_guard lock(warnings->mutex_);
    warnings->text_ += std::string(gst_debug_message_get(message)) + "\n";
  }
  mutable std::mutex mutex_;
  std::string text_;
};

TEST_F(SinkProperties, WhatTheStreamWasOpenedWithStaysWhatIsReadUntilItIsOpenedAgain) {
  Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48" + sink("slots=9 is-live=true"));
  const auto history = [&] {
    guint value = 0;
    g_object_get(sender.sink(), "history", &value, nullptr);
    return value;
  };
  const auto name = [&] {
    gchar* value = nullptr;
    g_object_get(sender.sink(), "stream", &value, nullptr);
    std::string text = value;
    g_free(value);
    return text;
  };
  const std::string other = stream() + "-other";
  const Warnings warnings;
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED}) {
    EXPECT_NE(sender.to(state), GST_STATE_CHANGE_FAILURE);
    g_object_set(sender.sink(), "history", 5u, "stream", other.c_str(), nullptr);
    EXPECT_EQ(history(), 1u);
    EXPECT_EQ(name(), stream());
  }
  EXPECT_THAT(warnings.text(),
              AllOf(HasSubstr("history is not changed"), HasSubstr("stream is not changed")));
  EXPECT_EQ(sender.to(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(sender.sink(), "history", 5u, "stream", other.c_str(), nullptr);
  EXPECT_EQ(history(), 5u);
  EXPECT_EQ(name(), other);
  sender.play();
  Watcher watcher(other, reel::ReaderOptions{});
  EXPECT_TRUE(watcher.wait_for(1));
}

TEST_F(SinkProperties, WhatIsSetToTheValueThatItHasIsNoWarning) {
  Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48" +
                sink("slots=9 start-timeout=7000000001 checksum=sampled is-live=true"));
  sender.play();
  const Warnings warnings;
  g_object_set(sender.sink(), "slots", 9u, "stream", stream().c_str(), "start-timeout",
               guint64{7'000'000'001}, "is-live", TRUE, "policy-limits", nullptr, nullptr);
  gst_util_set_object_arg(G_OBJECT(sender.sink()), "checksum", "sampled");
  EXPECT_EQ(warnings.text(), "");
  g_object_set(sender.sink(), "slots", 10u, nullptr);
  EXPECT_THAT(warnings.text(), HasSubstr("slots is not changed"));
}

TEST_F(SinkProperties, BadValuesAreRefusedByAMessageThatSaysWhatIsTaken) {
  EXPECT_THAT(refusal("mode=83"), AllOf(HasSubstr("mode is 0123"), HasSubstr("0660")));
  EXPECT_THAT(refusal("policy-limits=lossles"), AllOf(HasSubstr("\"lossles\""), HasSubstr("lossless")));
  EXPECT_THAT(refusal("side-data-bytes=1001"), AllOf(HasSubstr("1001"), HasSubstr("multiple of 8")));
  EXPECT_THAT(refusal("slots=4 history=9"), AllOf(HasSubstr("slots is 4"), HasSubstr("history 9")));
  EXPECT_THAT(refusal("wait-for=a,b!c"), AllOf(HasSubstr("\"b!c\""), HasSubstr("cannot name a reader")));
  EXPECT_THAT(refusal("wait-for=" + std::string(64, 'x')),
              HasSubstr("at most 63 letters, digits and . _ / -"));
  EXPECT_THAT(refusal("wait-for=a,,b"), HasSubstr("wait-for: \"\" cannot name a reader"));
  EXPECT_THAT(refusal("slots=2"), AllOf(HasSubstr("slots is 2"), HasSubstr("3 slots at least")));
  std::string names = "n0";
  for (int i = 1; i < 65; ++i) names += ",n" + std::to_string(i);
  EXPECT_THAT(refusal("wait-for=" + names), HasSubstr("wait-for names 65 readers: a stream has 64 at most"));
}

TEST_F(SinkProperties, TextsSayWhatZeroIsAndWhatIsKeptForWhom) {
  Sender sender(pictures(1) + sink());
  const auto blurb = [&](const char* name) {
    return std::string(g_param_spec_get_blurb(property(sender, name)));
  };
  EXPECT_THAT(blurb("start-timeout"), HasSubstr("(0: not at all)"));
  EXPECT_THAT(blurb("wait-for"), AllOf(HasSubstr("is-live is off"), HasSubstr("lossless")));
  GstStructure* stats = nullptr;
  g_object_get(sender.sink(), "stats", &stats, nullptr);
  for (gint i = 0; i < gst_structure_n_fields(stats); ++i)
    EXPECT_THAT(blurb("stats") + ",", HasSubstr(std::string(gst_structure_nth_field_name(stats, i)) + ","));
  gst_structure_free(stats);
}

TEST_F(SinkProperties, APictureThatMaxBytesCannotHoldIsAnErrorThatDoesTheSum) {
  Sender sender(pictures(5, "format=NV12,width=1920,height=1080") + sink("max-bytes=5000000"));
  sender.start();
  EXPECT_THAT(sender.end(),
              AllOf(HasSubstr("error: "), HasSubstr("raise max-bytes"), Not(HasSubstr("lower slots"))))
      << "no number of them would do";
}

TEST_F(SinkProperties, ARingThatMaxBytesCannotHoldIsAnErrorOfSpace) {
  Sender sender(pictures(5, "format=NV12,width=1920,height=1080") + sink("max-bytes=30000000 slots=16"));
  sender.start();
  GstBus* const bus = gst_element_get_bus(sender.pipeline());
  GstMessage* const message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, GST_MESSAGE_ERROR);
  ASSERT_NE(message, nullptr);
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) << error->message;
  g_error_free(error);
  gst_message_unref(message);
  gst_object_unref(bus);
}

TEST_F(SinkProperties, MessagesCallOptionsAsPropertiesAndLeaveNamesAndPaths) {
  EXPECT_EQ(reel::gst::in_properties("raise max_bytes: max_pins is 9. Or side_data_bytes."),
            "raise max-bytes: max-pins is 9. Or side-data-bytes.");
  for (const char* const same :
       {"\"max_bytes\" is not there", "\"a max_pins b\"", "cam.max_pins is", "max_pins-2", "Xmax_bytes",
        "max_bytesX", "/run/wait_for/a", "wait_for/a", "at /run/wait_for: no"})
    EXPECT_EQ(reel::gst::in_properties(same), same);
  const reel::Error here(reel::ErrorCode::io, "wait_for is long", "max_bytes");
  EXPECT_EQ(reel::gst::in_properties(here, "max_bytes"), "wait-for is long");
  EXPECT_EQ(reel::gst::in_properties(here, "cam"), "max_bytes: wait-for is long") << "somewhere else";
}

TEST_F(SinkProperties, AStreamThatIsCalledAsAnOptionKeepsItsName) {
  Sender sender(pictures(5, "format=NV12,width=1920,height=1080") +
                " ! reelsink name=sink stream=max_bytes max-bytes=5000000");
  sender.start();
  EXPECT_THAT(sender.end(),
              AllOf(HasSubstr("\"max_bytes\""), HasSubstr("raise max-bytes"), Not(HasSubstr("max-bytes: "))));
}

TEST_F(SinkProperties, FewerSlotsAreAdvisedWhereTheyWouldDo) {
  Sender sender(pictures(5, "format=NV12,width=1920,height=1080") + sink("max-bytes=30000000 slots=16"));
  sender.start();
  EXPECT_THAT(sender.end(), HasSubstr("raise max-bytes or lower slots"));
}

TEST_F(SinkProperties, TheLeastMaxBytesHoldsARing) {
  Sender sender("fakesrc sizetype=fixed sizemax=10 num-buffers=3 format=time" + sink());
  g_object_set(sender.sink(), "max-bytes", G_PARAM_SPEC_UINT64(property(sender, "max-bytes"))->minimum,
               nullptr);
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(sender.stat("published"), 3u);
}

TEST_F(SinkProperties, CapsWhoseMemoryCannotBeMappedAreNotTaken) {
  Sender sender(pictures(1) + sink());
  GstPad* const pad = gst_element_get_static_pad(sender.sink(), "sink");
  GstCaps* const filter = gst_caps_from_string(
      "video/x-raw(memory:GLMemory),format=RGBA; video/x-raw(memory:DMABuf); video/x-raw,format=I420; "
      "audio/x-raw");
  GstCaps* const taken = gst_pad_query_caps(pad, filter);
  EXPECT_EQ(gst_caps_get_size(taken), 2u);
  EXPECT_TRUE(gst_caps_is_subset(taken, filter));
  gst_caps_unref(taken);
  gst_caps_unref(filter);
  gst_object_unref(pad);
}

TEST_F(SinkProperties, AnOfferOfSuchMemoryAloneIsAnsweredWithTheElementToPutBefore) {
  Sender sender(pictures(1) + sink());
  ASSERT_EQ(sender.to(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  GstPad* const pad = gst_element_get_static_pad(sender.sink(), "sink");
  const auto taken = [pad](const char* offered) {
    const reel::gst::Ptr<GstCaps> filter(gst_caps_from_string(offered));
    const reel::gst::Ptr<GstCaps> caps(gst_pad_query_caps(pad, filter.get()));
    return gst_caps_is_empty(caps.get()) == FALSE;
  };
  EXPECT_TRUE(taken("video/x-raw(memory:VAMemory); video/x-raw,format=NV12")) << "and nothing is said";
  EXPECT_FALSE(taken("video/x-raw(memory:GLMemory),format=RGBA"));
  EXPECT_FALSE(taken("video/x-raw(memory:GLMemory),format=RGBA")) << "which is said once";
  EXPECT_FALSE(taken("video/x-raw(memory:NVMM),format=NV12"));
  EXPECT_THAT(
      sender.next(GST_MESSAGE_WARNING),
      AllOf(HasSubstr(stream()), HasSubstr("nothing but memory:GLMemory"), HasSubstr("put gldownload")));
  EXPECT_THAT(sender.next(GST_MESSAGE_WARNING), AllOf(HasSubstr("memory:NVMM"), HasSubstr("nvvideoconvert")));
  gst_object_unref(pad);
}

TEST_F(SinkProperties, ThePrerolledBufferIsPublishedOnlyWhenPlaying) {
  Sender sender(pictures(5) + sink());
  EXPECT_EQ(sender.to(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(sender.stat("published"), 0u);
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(sender.stat("published"), 5u);
}

TEST_F(SinkProperties, ListsOfBuffersArriveInOrder) {
  Sender sender("appsrc name=in format=time caps=application/x-test" + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  GstBufferList* list = gst_buffer_list_new();
  for (int i = 0; i < 10; ++i) {
    GstBuffer* one = gst_buffer_new_allocate(nullptr, 10, nullptr);
    gst_buffer_memset(one, 0, static_cast<guint8>(i), 10);
    GST_BUFFER_PTS(one) = static_cast<GstClockTime>(i) * GST_MSECOND;
    gst_buffer_list_add(list, one);
  }
  gst_app_src_push_buffer_list(GST_APP_SRC(sender.element("in")), list);
  gst_app_src_end_of_stream(GST_APP_SRC(sender.element("in")));
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  ASSERT_EQ(watcher.pts_ns().size(), 10u);
  const std::vector<std::int64_t> pts = watcher.pts_ns();
  EXPECT_TRUE(std::is_sorted(pts.begin(), pts.end()));
}

// What comes too late for the clock is dropped where that was asked for, and upstream is told.
TEST_F(SinkProperties, LateBuffersAreDroppedByTheClockWhereThatWasAskedFor) {
  Sender sender(
      "videotestsrc num-buffers=40 ! video/x-raw,width=64,height=48,framerate=1000/1 ! "
      "identity sleep-time=5000 ! reelsink name=sink sync=true max-lateness=0 qos=true stream=" +
      stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_LT(sender.stat("published"), 40u);
}

TEST_F(SinkProperties, GstInspectTellsAllOfThem) {
  ChildProcess inspect = ChildProcess::program("gst-inspect-1.0", {"reelsink"});
  EXPECT_TRUE(inspect.wait().ok()) << inspect.errors();
  for (const char* name : {"stream ",
                           "slots ",
                           "history ",
                           "checksum ",
                           "policy-limits ",
                           "wait-for-readers ",
                           "wait-for ",
                           "start-timeout ",
                           "absence-timeout ",
                           "stall-timeout ",
                           "side-data-bytes ",
                           "max-bytes ",
                           "mode ",
                           "is-live ",
                           "num-clients ",
                           "stats ",
                           "\"client-connected\"",
                           "\"client-disconnected\"",
                           "Sink/Generic",
                           "changeable only in NULL or READY state"})
    EXPECT_THAT(inspect.output(), HasSubstr(name));
}

}  // namespace
}  // namespace gstreamer_test
