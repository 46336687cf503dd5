// Events of a stream: what they say, and their place among its buffers.
#include <gmock/gmock.h>
#include <reel_test/wait_until.hpp>
#include <reel_test/runtime_dir.hpp>

#include "loop.hpp"
#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Events : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { set_up(); }
  void begin(const std::string& sink = {}, const std::string& source = "policy=lossless") {
    collector_ = std::make_unique<Collector>(stream_, source);
    feeder_ = std::make_unique<Feeder>(stream_, "wait-for-readers=1 " + sink);
    ASSERT_TRUE(feeder_->begin("application/x-test")) << feeder_->error();
  }
  void push(unsigned number) {
    Ptr<GstBuffer> buffer = counting(10, number);
    GST_BUFFER_PTS(buffer.get()) = number * 10 * GST_MSECOND;
    ASSERT_EQ(feeder_->push(std::move(buffer)), GST_FLOW_OK) << feeder_->error();
  }
  static GstEvent* custom(const char* name, GstEventType type = GST_EVENT_CUSTOM_DOWNSTREAM) {
    return gst_event_new_custom(
        type, gst_structure_new(name, "text", G_TYPE_STRING, "a, b=\"c\"", "number", G_TYPE_INT, 5, nullptr));
  }
  static GstEvent* tags(const char* text, GstTagScope scope) {
    GstTagList* list = gst_tag_list_new_from_string(text);
    gst_tag_list_set_scope(list, scope);
    return gst_event_new_tag(list);
  }
  /// The newest of a scope at the receiver; empty where there is none.
  [[nodiscard]] std::string newest_tags(GstTagScope scope) const {
    std::string text;
    for (GstEvent* event : collector_->events(GST_EVENT_TAG)) {
      GstTagList* list = nullptr;
      gst_event_parse_tag(event, &list);
      if (gst_tag_list_get_scope(list) == scope) text = reel::gst::Text(gst_tag_list_to_string(list)).get();
    }
    return text;
  }
  /// Buffers, gaps, custom events and the end.
  [[nodiscard]] std::vector<std::string> order() const {
    std::vector<std::string> kept;
    for (std::string& name : collector_->order()) {
      if (name == "buffer" || name == "gap" || name == "eos" || name.starts_with("custom"))
        kept.push_back(name);
    }
    return kept;
  }

  reel_test::TempRuntimeDir runtime_;
  const std::string stream_ = reel_test::unique_name("events");
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Feeder> feeder_;
};

TEST_F(Events, ASerializedEventKeepsItsPlaceAmongTenBuffers) {
  begin();
  for (unsigned i = 0; i < 10; ++i) {
    push(i);
    if (i == 3) {
      ASSERT_TRUE(feeder_->send(custom("ReelTestEvent")));
    }
  }
  feeder_->end();
  ASSERT_TRUE(collector_->wait_for_event(GST_EVENT_EOS));
  std::vector<std::string> expected(10, "buffer");
  expected.insert(expected.begin() + 4, "custom-downstream");
  expected.push_back("eos");
  EXPECT_EQ(order(), expected);
  const GstStructure* structure = gst_event_get_structure(collector_->events(GST_EVENT_CUSTOM_DOWNSTREAM)[0]);
  EXPECT_TRUE(gst_structure_has_name(structure, "ReelTestEvent"));
  EXPECT_STREQ(gst_structure_get_string(structure, "text"), "a, b=\"c\"");
}

TEST_F(Events, BeforeTheFirstBufferAndBehindTheLastTheyArriveToo) {
  begin();
  ASSERT_TRUE(feeder_->send(custom("ReelTestFirst")));
  push(0);
  ASSERT_TRUE(feeder_->send(custom("ReelTestLast")));
  feeder_->end();
  ASSERT_TRUE(collector_->wait_for_event(GST_EVENT_EOS));
  EXPECT_THAT(order(), ElementsAre("custom-downstream", "buffer", "custom-downstream", "eos"));
}

TEST_F(Events, StickyOnesStayStickyAndKeepTheirBuffers) {
  begin();
  const Ptr<GstBuffer> inside = counting(5'000, 7);
  push(0);
  ASSERT_TRUE(feeder_->send(gst_event_new_custom(
      GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new("ReelTestSticky", "buffer", GST_TYPE_BUFFER, inside.get(), nullptr))));
  push(1);
  ASSERT_TRUE(collector_->wait_for_buffers(2));
  const auto events = collector_->events(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  ASSERT_EQ(events.size(), 1U);
  const GValue* value = gst_structure_get_value(gst_event_get_structure(events[0]), "buffer");
  ASSERT_TRUE(value != nullptr && GST_VALUE_HOLDS_BUFFER(value));
  EXPECT_EQ(bytes_of(gst_value_get_buffer(value)), bytes_of(inside.get()));
}

TEST_F(Events, ThoseOutOfBandAreNotSent) {
  begin();
  push(0);
  (void)feeder_->send(custom("ReelTestOutOfBand", GST_EVENT_CUSTOM_DOWNSTREAM_OOB));
  push(1);
  feeder_->end();
  ASSERT_TRUE(collector_->wait_for_event(GST_EVENT_EOS));
  EXPECT_THAT(order(), ElementsAre("buffer", "buffer", "eos"));
}

TEST_F(Events, GapsArriveWithTheirTimes) {
  begin("", "policy=lossless is-live=false");
  push(0);
  ASSERT_TRUE(feeder_->send(gst_event_new_gap(10 * GST_MSECOND, 20 * GST_MSECOND)));
  push(3);
  ASSERT_TRUE(collector_->wait_for_buffers(2));
  EXPECT_THAT(order(), ElementsAre("buffer", "gap", "buffer"));
  GstClockTime pts = 0, duration = 0;
  gst_event_parse_gap(collector_->events(GST_EVENT_GAP)[0], &pts, &duration);
  EXPECT_EQ(pts, 10 * GST_MSECOND);
  EXPECT_EQ(duration, 20 * GST_MSECOND);
}

TEST_F(Events, TagsOfBothScopesArriveMergedAndALateReaderGetsThemAll) {
  begin();
  ASSERT_TRUE(feeder_->send(tags("taglist, title=(string)first, bitrate=(uint)1000", GST_TAG_SCOPE_STREAM)));
  ASSERT_TRUE(feeder_->send(tags("taglist, artist=(string)\"an artist\"", GST_TAG_SCOPE_GLOBAL)));
  push(0);
  ASSERT_TRUE(feeder_->send(tags("taglist, title=(string)second", GST_TAG_SCOPE_STREAM)));
  push(1);
  ASSERT_TRUE(collector_->wait_for_buffers(2));
  const auto clients = [this] {
    guint count = 0;
    g_object_get(feeder_->sink(), "num-clients", &count, nullptr);
    return count;
  };
  collector_.reset();
  ASSERT_TRUE(reel_test::wait_until([&] { return clients() == 0; }));
  collector_ = std::make_unique<Collector>(stream_, "policy=lossless");
  ASSERT_TRUE(reel_test::wait_until([&] { return clients() == 1; }));
  push(2);
  ASSERT_TRUE(collector_->wait_for_buffers(1));
  EXPECT_EQ(newest_tags(GST_TAG_SCOPE_STREAM), "taglist, title=(string)second, bitrate=(uint)1000;");
  EXPECT_EQ(newest_tags(GST_TAG_SCOPE_GLOBAL), "taglist, artist=(string)\"an\\ artist\";");
}

TEST_F(Events, TagsOfTheStreamBeforeAreForgotten) {
  begin();
  ASSERT_TRUE(feeder_->send(tags("taglist, title=(string)first", GST_TAG_SCOPE_STREAM)));
  push(0);
  ASSERT_TRUE(feeder_->begin("application/x-test"));
  ASSERT_TRUE(feeder_->send(tags("taglist, bitrate=(uint)2000", GST_TAG_SCOPE_STREAM)));
  push(1);
  ASSERT_TRUE(collector_->wait_for_buffers(2));
  EXPECT_EQ(newest_tags(GST_TAG_SCOPE_STREAM), "taglist, bitrate=(uint)2000;");
}

TEST_F(Events, ACoverThatIsTooLargeIsLeftOutAndTheOtherTagsArrive) {
  begin();
  GstTagList* list = gst_tag_list_new(GST_TAG_TITLE, "with a cover", nullptr);
  const Ptr<GstBuffer> image = counting(20'000);
  const Ptr<GstCaps> caps(gst_caps_from_string("image/png"));
  GstSample* sample = gst_sample_new(image.get(), caps.get(), nullptr, nullptr);
  gst_tag_list_add(list, GST_TAG_MERGE_APPEND, GST_TAG_IMAGE, sample, nullptr);
  gst_sample_unref(sample);
  ASSERT_TRUE(feeder_->send(gst_event_new_tag(list)));
  push(0);
  ASSERT_TRUE(collector_->wait_for_buffers(1));
  EXPECT_EQ(newest_tags(GST_TAG_SCOPE_STREAM), "taglist, title=(string)\"with\\ a\\ cover\";");
}

TEST_F(Events, ASegmentOfTimeArrivesWhereTheReceiverIsNotLive) {
  begin("", "policy=lossless is-live=false");
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = 2.0;
  segment.applied_rate = 0.5;
  segment.start = 100 * GST_MSECOND;
  segment.stop = 900 * GST_MSECOND;
  segment.time = 50 * GST_MSECOND;
  segment.base = 7 * GST_MSECOND;
  ASSERT_TRUE(feeder_->send(gst_event_new_segment(&segment)));
  push(20);
  ASSERT_TRUE(collector_->wait_for_buffers(1));
  const auto events = collector_->events(GST_EVENT_SEGMENT);
  ASSERT_FALSE(events.empty());
  const GstSegment* got = nullptr;
  gst_event_parse_segment(events.back(), &got);
  EXPECT_EQ(got->format, GST_FORMAT_TIME);
  EXPECT_EQ(got->rate, 2.0);
  EXPECT_EQ(got->applied_rate, 0.5);
  EXPECT_EQ(got->start, segment.start);
  EXPECT_EQ(got->stop, segment.stop);
  EXPECT_EQ(got->time, segment.time);
  EXPECT_EQ(got->base, segment.base);
  EXPECT_EQ(GST_BUFFER_PTS(collector_->buffers()[0]), 200 * GST_MSECOND);
}

TEST_F(Events, BuffersOfASegmentOfBytesArriveToo) {
  begin();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  ASSERT_TRUE(feeder_->send(gst_event_new_segment(&segment)));
  for (unsigned i = 0; i < 3; ++i) {
    Ptr<GstBuffer> buffer = counting(100, i);
    GST_BUFFER_OFFSET(buffer.get()) = i * 100;
    GST_BUFFER_OFFSET_END(buffer.get()) = i * 100 + 100;
    ASSERT_EQ(feeder_->push(std::move(buffer)), GST_FLOW_OK);
  }
  feeder_->end();
  ASSERT_TRUE(collector_->wait_for_event(GST_EVENT_EOS));
  ASSERT_EQ(collector_->buffers().size(), 3U);
  EXPECT_EQ(GST_BUFFER_OFFSET(collector_->buffers()[2]), 200U);
  EXPECT_EQ(GST_BUFFER_OFFSET_END(collector_->buffers()[2]), 300U);
}

}  // namespace
}  // namespace gstreamer_test
