// What else the tests of unixfd, shm, interpipe, inter and shmdata show, through our pair.
#include <algorithm>
#include <atomic>
#include <memory>

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <reel_test/wait_until.hpp>

#include "loop.hpp"
#include "player.hpp"
#include "sender.hpp"

namespace gstreamer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Pair : public SourceTest {
 protected:
  static std::string live(const std::string& size = "width=64,height=48") {
    return "videotestsrc is-live=true ! video/x-raw,format=NV12,framerate=100/1," + size;
  }
  [[nodiscard]] std::string sink(const std::string& more = {}) const {
    return " ! reelsink name=sink stream=" + stream() + " " + more;
  }
  static guint clients(const Sender& sender) {
    guint clients = 0;
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    return clients;
  }
  static bool has_clients(const Sender& sender, guint count) {
    return reel_test::wait_until([&] { return clients(sender) == count; });
  }
  static bool goes_on(const Player& player, std::size_t buffers = 5) {
    return player.wait_for(player.count("buffer") + buffers);
  }
};

// ---- unixfd ---------------------------------------------------------------------------------------------

TEST_F(Pair, AClientGoesToReadyAndComesBackAndASecondJoins) {
  Sender sender(live() + sink());
  sender.play();
  Player one(into_sink());
  one.play();
  ASSERT_TRUE(has_clients(sender, 1));
  ASSERT_TRUE(goes_on(one));
  one.to(GST_STATE_READY);
  ASSERT_TRUE(has_clients(sender, 0));
  one.play();
  Player other(into_sink());
  other.play();
  ASSERT_TRUE(has_clients(sender, 2));
  EXPECT_TRUE(goes_on(one));
  EXPECT_TRUE(goes_on(other));
  sender.stop();
  EXPECT_TRUE(runtime_.entries().empty()) << "the socket is there after NULL";
  EXPECT_EQ(one.message_there_is(GST_MESSAGE_ERROR), "");
}

GstCustomMeta* custom_meta(GstElement* sink, Ptr<GstSample>& sample) {
  GstSample* last = nullptr;
  g_object_get(sink, "last-sample", &last, nullptr);
  sample.reset(last);
  return last == nullptr ? nullptr : gst_buffer_get_custom_meta(gst_sample_get_buffer(last), "ReelTestLast");
}

TEST_F(Pair, TheLastSampleKeepsItsMetaAtBothEnds) {
  static const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom("ReelTestLast", no_tags, nullptr, nullptr, nullptr);
  Player player(src("policy=lossless") + " ! fakesink name=out sync=false enable-last-sample=true");
  player.play();
  auto feeder = std::make_unique<Feeder>(stream(), "wait-for-readers=1 enable-last-sample=true");
  ASSERT_TRUE(feeder->begin("application/x-test"));
  Ptr<GstBuffer> buffer = counting(1000);
  gst_structure_set(gst_custom_meta_get_structure(gst_buffer_add_custom_meta(buffer.get(), "ReelTestLast")),
                    "id", G_TYPE_INT, 7, nullptr);
  ASSERT_EQ(feeder->push(std::move(buffer)), GST_FLOW_OK);
  feeder->end();
  EXPECT_EQ(player.end(), "eos");
  Ptr<GstSample> sample;
  EXPECT_NE(custom_meta(feeder->sink(), sample), nullptr);
  sample.reset();
  feeder.reset();
  GstCustomMeta* meta = custom_meta(player.element("out"), sample);
  ASSERT_NE(meta, nullptr);
  gint id = 0;
  EXPECT_TRUE(gst_structure_get_int(gst_custom_meta_get_structure(meta), "id", &id));
  EXPECT_EQ(id, 7);
  EXPECT_EQ(bytes_of(gst_sample_get_buffer(sample.get())), bytes_of(counting(1000).get()));
}

TEST_F(Pair, BuffersOfTwoSegmentsComeOutExactlyASecondApart) {
  for (const bool is_live : {true, false}) {
    SCOPED_TRACE(is_live ? "live" : "not live");
    const std::string name = stream() + (is_live ? ".l" : ".n");
    Player player("reelsrc name=source policy=lossless is-live=" + std::string(is_live ? "true" : "false") +
                  " stream=" + name + " ! fakesink sync=false");
    player.play();
    Feeder feeder(name, "wait-for-readers=1");
    ASSERT_TRUE(feeder.begin("application/x-test"));
    const auto push = [&](GstClockTime pts) {
      Ptr<GstBuffer> buffer = counting(100);
      GST_BUFFER_PTS(buffer.get()) = pts;
      ASSERT_EQ(feeder.push(std::move(buffer)), GST_FLOW_OK);
    };
    push(30 * GST_SECOND);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = 30 * GST_SECOND;
    ASSERT_TRUE(feeder.send(gst_event_new_segment(&segment)));
    push(1 * GST_SECOND);
    ASSERT_TRUE(player.wait_for(2));
    const auto buffers = player.buffers();
    EXPECT_EQ(buffers[1].running_ns - buffers[0].running_ns, std::int64_t{GST_SECOND});
  }
}

// ---- shm ------------------------------------------------------------------------------------------------

TEST_F(Pair, ALiveSourceReachesAnAppsinkThatIsNotAsync) {
  Sender sender(live() + sink());
  sender.play();
  Player player(src() + " ! appsink name=out async=false");
  EXPECT_NE(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  for (int i = 0; i < 10; ++i) {
    GstSample* sample = nullptr;
    g_signal_emit_by_name(player.element("out"), "try-pull-sample", 60 * GST_SECOND, &sample);
    ASSERT_NE(sample, nullptr);
    EXPECT_EQ(gst_buffer_get_size(gst_sample_get_buffer(sample)), 64u * 48 * 3 / 2);
    gst_sample_unref(sample);
  }
}

// ---- ipcpipeline: dynamic pipelines -----------------------------------------------------------------------

TEST_F(Pair, ASinkIsPutBehindATeeAndTakenAwayAgainWhileItPlays) {
  Sender sender(live() + " ! tee name=t allow-not-linked=true" + sink());
  sender.play();
  const std::string other = stream() + ".other";
  Player player("reelsrc name=source stream=" + other + " ! fakesink sync=false");
  player.play();
  GstElement* tee = sender.element("t");
  for (guint64 life = 1; life <= 10; ++life) {
    GstElement* branch = gst_element_factory_make("reelsink", nullptr);
    g_object_set(branch, "stream", other.c_str(), nullptr);
    gst_object_ref(branch);
    gst_bin_add(GST_BIN(sender.pipeline()), branch);
    Ptr<GstPad> from(gst_element_request_pad_simple(tee, "src_%u"));
    Ptr<GstPad> into(gst_element_get_static_pad(branch, "sink"));
    ASSERT_TRUE(gst_element_sync_state_with_parent(branch));
    ASSERT_EQ(gst_pad_link(from.get(), into.get()), GST_PAD_LINK_OK);
    ASSERT_TRUE(reel_test::wait_until([&] { return player.stat("connects") == life; })) << life;
    ASSERT_TRUE(goes_on(player)) << "life " << life;
    gst_pad_unlink(from.get(), into.get());
    gst_element_release_request_pad(tee, from.get());
    gst_element_set_state(branch, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(sender.pipeline()), branch);
    gst_object_unref(branch);
  }
  EXPECT_EQ(sender.error(), "");
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_ERROR), "");
}

TEST_F(Pair, ASourceIsPutIntoAPlayingPipelineAndTakenOutAgain) {
  Sender sender(live() + sink());
  sender.play();
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(goes_on(player));
  for (int i = 0; i < 10; ++i) {
    GstElement* bin = gst_parse_bin_from_description(
        ("reelsrc stream=" + stream() + " ! fakesink name=more sync=false").c_str(), FALSE, nullptr);
    gst_object_ref(bin);
    gst_bin_add(GST_BIN(player.pipeline()), bin);
    std::atomic<int> seen{0};
    Ptr<GstElement> more(gst_bin_get_by_name(GST_BIN(bin), "more"));
    g_object_set(more.get(), "signal-handoffs", TRUE, nullptr);
    g_signal_connect(more.get(), "handoff", G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, gpointer count) {
                       ++*static_cast<std::atomic<int>*>(count);
                     }),
                     &seen);
    ASSERT_TRUE(gst_element_sync_state_with_parent(bin));
    EXPECT_TRUE(reel_test::wait_until([&] { return seen >= 3; })) << i;
    gst_element_set_state(bin, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(player.pipeline()), bin);
    gst_object_unref(bin);
    EXPECT_TRUE(goes_on(player)) << "the other source plays on";
  }
  EXPECT_TRUE(has_clients(sender, 1));
}

// ---- interpipe ------------------------------------------------------------------------------------------

TEST_F(Pair, TheVideoMetaIsIntactAtThreeConsumers) {
  constexpr int kStride = 128, kRows = 48;
  constexpr gsize kUpper = 256, kLower = kUpper + kStride * kRows + 512,
                  kBytes = kLower + kStride * kRows / 2;
  std::vector<std::unique_ptr<Collector>> consumers;
  for (int i = 0; i < 3; ++i) consumers.push_back(std::make_unique<Collector>(stream()));
  Feeder feeder(stream(), "wait-for-readers=3");
  const std::string text = "video/x-raw,format=NV12,width=64,height=48,framerate=30/1";
  ASSERT_TRUE(feeder.begin(text));
  const Ptr<GstCaps> caps(gst_caps_from_string(text.c_str()));
  Ptr<GstBuffer> buffer = counting(kBytes);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {kUpper, kLower};
  gint strides[GST_VIDEO_MAX_PLANES] = {kStride, kStride};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 64, 48, 2,
                                 offsets, strides);
  const std::uint64_t sent = hash_of(buffer.get(), caps.get());
  ASSERT_EQ(feeder.push(std::move(buffer)), GST_FLOW_OK) << feeder.error();
  for (const auto& consumer : consumers) {
    ASSERT_TRUE(consumer->wait_for_buffers(1));
    GstBuffer* got = consumer->buffers().front();
    const GstVideoMeta* meta = gst_buffer_get_video_meta(got);
    ASSERT_NE(meta, nullptr);
    EXPECT_EQ(meta->format, GST_VIDEO_FORMAT_NV12);
    EXPECT_EQ(meta->width, 64u);
    EXPECT_EQ(meta->height, 48u);
    EXPECT_EQ(meta->n_planes, 2u);
    EXPECT_EQ(hash_of(got, caps.get()), sent);
  }
}

TEST_F(Pair, AConsumerThatCannotTakeTheCapsFailsAloneAndTheOthersGetEverything) {
  for (const char* filter : {"video/x-raw,format=RGB", "audio/x-raw"}) {
    Player picky(src() + " ! " + filter + " ! fakesink");
    Player other(into_sink("policy=lossless"));
    picky.play();
    other.play();
    Sender sender("videotestsrc num-buffers=50 ! video/x-raw,format=NV12,width=64,height=48,framerate=100/1" +
                  sink("sync=false wait-for-readers=2"));
    sender.start();
    EXPECT_THAT(picky.end(), AllOf(StartsWith("error: "), HasSubstr("NV12")));
    EXPECT_EQ(sender.end(), "eos");
    EXPECT_EQ(other.end(), "eos");
    EXPECT_EQ(other.buffers().size(), 50u);
  }
}

TEST_F(Pair, IsHotPluggedToStreamsOfEqualAndOfDifferentCaps) {
  const std::string equal = stream() + ".equal", different = stream() + ".different";
  Sender a(live() + sink());
  Sender b(live() + " ! reelsink name=sink stream=" + equal);
  Sender c(live("width=32,height=24") + " ! reelsink name=sink stream=" + different);
  for (Sender* sender : {&a, &b, &c}) sender->play();
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(has_clients(a, 1));
  ASSERT_TRUE(goes_on(player));
  g_object_set(player.source(), "stream", equal.c_str(), nullptr);
  ASSERT_TRUE(has_clients(b, 1) && has_clients(a, 0));
  ASSERT_TRUE(goes_on(player));
  EXPECT_EQ(player.count("caps"), 1u) << "equal caps are no change";
  g_object_set(player.source(), "stream", different.c_str(), nullptr);
  ASSERT_TRUE(has_clients(c, 1) && has_clients(b, 0));
  ASSERT_TRUE(reel_test::wait_until([&] { return player.count("caps") == 2; }));
  ASSERT_TRUE(goes_on(player));
  player.stop();
  const auto buffers = player.buffers();
  EXPECT_EQ(buffers.back().bytes, 32u * 24 * 3 / 2);
  for (std::size_t i = 1; i < buffers.size(); ++i) EXPECT_GE(buffers[i].pts, buffers[i - 1].pts) << i;
}

// ---- inter ----------------------------------------------------------------------------------------------

TEST_F(Pair, AProducerIsRenamedAndItsConsumerFollows) {
  const std::string renamed = stream() + ".renamed";
  Sender sender(live() + sink());
  sender.play();
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(goes_on(player));
  sender.to(GST_STATE_READY);
  g_object_set(sender.sink(), "stream", renamed.c_str(), nullptr);
  sender.play();
  ASSERT_TRUE(reel_test::wait_until([&] {
    const auto entries = runtime_.entries();
    return !entries.empty() && std::all_of(entries.begin(), entries.end(), [&](const std::string& one) {
      return one.find(renamed) != std::string::npos;
    });
  })) << "only the new name is served";
  g_object_set(player.source(), "stream", renamed.c_str(), nullptr);
  ASSERT_TRUE(has_clients(sender, 1));
  EXPECT_TRUE(goes_on(player));
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_ERROR), "");
}

TEST_F(Pair, TheLatencyOfTheSendersPipelineReachesTheReceivers) {
  Sender sender(live() + sink("sync=true"));
  gst_pipeline_set_latency(GST_PIPELINE(sender.pipeline()), 300 * GST_MSECOND);
  sender.play();
  Player player(into_sink());
  player.play();
  const auto asked = [&] {
    GstQuery* query = gst_query_new_latency();
    GstClockTime least = 0;
    if (gst_element_query(player.source(), query) != FALSE)
      gst_query_parse_latency(query, nullptr, &least, nullptr);
    gst_query_unref(query);
    return least;
  };
  EXPECT_TRUE(reel_test::wait_until([&] { return asked() >= 300 * GST_MSECOND; })) << asked();
}

// ---- shmdata --------------------------------------------------------------------------------------------

TEST_F(Pair, FiveLivesOfTheWriterAreFiveConnectsAndFiveDisconnects) {
  Player player(into_sink());
  std::atomic<int> connects{0}, disconnects{0};
  g_signal_connect(player.source(), "connected",
                   G_CALLBACK(+[](GstElement*, const gchar*, guint64, gpointer count) {
                     ++*static_cast<std::atomic<int>*>(count);
                   }),
                   &connects);
  g_signal_connect(player.source(), "disconnected",
                   G_CALLBACK(+[](GstElement*, const gchar*, const gchar* why, gpointer count) {
                     EXPECT_STREQ(why, "lost");
                     ++*static_cast<std::atomic<int>*>(count);
                   }),
                   &disconnects);
  player.play();
  for (int life = 1; life <= 5; ++life) {
    Sender sender(live() + sink());
    sender.play();
    ASSERT_TRUE(reel_test::wait_until([&] { return connects == life; }));
    ASSERT_TRUE(goes_on(player));
    sender.stop();
    ASSERT_TRUE(reel_test::wait_until([&] { return disconnects == life; }));
  }
  player.stop();
  EXPECT_EQ(connects, 5);
  EXPECT_EQ(disconnects, 5);
}

TEST_F(Pair, BuffersThatGrowFromOneToSixtyElementsArriveWhole) {
  constexpr std::size_t kElement = 10'000;
  Collector collector(stream());
  Feeder feeder(stream(), "wait-for-readers=1 slots=4");
  ASSERT_TRUE(feeder.begin("application/x-test"));
  for (unsigned i = 1; i <= 60; ++i) {
    ASSERT_EQ(feeder.push(counting(i * kElement, i)), GST_FLOW_OK) << feeder.error();
    ASSERT_TRUE(collector.wait_for_buffers(i)) << collector.error();
  }
  const auto buffers = collector.buffers();
  for (unsigned i = 1; i <= 60; ++i)
    ASSERT_EQ(bytes_of(buffers[i - 1]), bytes_of(counting(i * kElement, i).get())) << i << " elements";
}

TEST_F(Pair, OneReaderNoneAndFiveReadWhileItWrites) {
  Sender sender("videotestsrc ! video/x-raw,format=NV12,width=64,height=48,framerate=200/1" + sink());
  sender.play();
  for (const std::size_t count : {1u, 0u, 5u, 0u}) {
    std::vector<std::unique_ptr<Player>> readers;
    for (std::size_t i = 0; i < count; ++i) {
      readers.push_back(std::make_unique<Player>(into_sink("policy=lossless")));
      readers.back()->play();
    }
    ASSERT_TRUE(has_clients(sender, static_cast<guint>(count)));
    const std::uint64_t published = sender.stat("published");
    ASSERT_TRUE(reel_test::wait_until([&] { return sender.stat("published") >= published + 20; }));
    for (const auto& reader : readers) {
      ASSERT_TRUE(reader->wait_for(20));
      const auto buffers = reader->buffers();
      for (std::size_t i = 1; i < buffers.size(); ++i)
        EXPECT_EQ(buffers[i].offset, buffers[i - 1].offset + 1) << "none is missing";
    }
  }
  EXPECT_EQ(sender.error(), "");
}

TEST_F(Pair, AModeThatNobodyCouldReadWithIsRefused) {
  Sender sender(live() + sink("mode=0"));
  EXPECT_EQ(sender.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(sender.error(), AllOf(HasSubstr("mode is 0000"), HasSubstr("0600")));
}

}  // namespace
}  // namespace gstreamer_test
