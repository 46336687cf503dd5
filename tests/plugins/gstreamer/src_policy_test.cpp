// What reelsrc is owed and what it does with what it did not get: policies, starts, key frames, damage.
#include "player.hpp"

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameInfo;
using reel::FrameWriter;
using reel::WriteStatus;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SourcePolicy : public SourceTest {
 protected:
  // Lets one buffer into the sink, which then holds the streaming thread until it is opened.
  class Valve {
   public:
    explicit Valve(Player& player) {
      GstPad* pad = gst_element_get_static_pad(player.element("out"), "sink");
      gst_pad_add_probe(
          pad, GST_PAD_PROBE_TYPE_BUFFER,
          +[](GstPad*, GstPadProbeInfo*, gpointer its) {
            const std::shared_ptr<State> state = *static_cast<std::shared_ptr<State>*>(its);
            state->entered = true;
            EXPECT_TRUE(reel_test::wait_until([&] { return state->open.load(); }));
            return GST_PAD_PROBE_OK;
          },
          new std::shared_ptr<State>(state_),
          +[](gpointer its) { delete static_cast<std::shared_ptr<State>*>(its); });
      gst_object_unref(pad);
    }
    [[nodiscard]] bool entered() const {
      return reel_test::wait_until([&] { return state_->entered.load(); });
    }
    void open() { state_->open = true; }

   private:
    // The pad has buffers after the test is done with the valve.
    struct State {
      std::atomic<bool> entered{false};
      std::atomic<bool> open{false};
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
  };
  static std::vector<int> values(const Player& player) {
    std::vector<int> values;
    for (const Left& one : player.buffers()) values.push_back(one.first_byte);
    return values;
  }
  static reel::Format h264() {
    return reel::EncodedFormat{.codec = reel::Codec::h264, .width = 64, .height = 48, .fps = {100, 1}};
  }
  static void write_unit(FrameWriter& writer, int value, bool key, std::uint32_t flags = 0) {
    FrameInfo info;
    info.flags = flags | (key ? reel::kKeyFrame : 0u);
    info.pts_ns = value * 10'000'000;
    const std::vector<std::byte> unit(100, static_cast<std::byte>(value));
    ASSERT_EQ(writer.write(unit, info), WriteStatus::ok) << writer.error();
  }
};

TEST_F(SourcePolicy, LosslessHoldsTheWriterBackRatherThanLoseAFrame) {
  Player player(into_sink("policy=lossless max-pins=2"));
  Valve valve(player);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 6});
  ASSERT_TRUE(wait_for_readers(writer));
  std::jthread writing([&] {
    for (int i = 1; i <= 50; ++i) write(writer, i);
    writer.end();
  });
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.stats().waits > 0; }));
  valve.open();
  EXPECT_EQ(player.end(), "eos");
  std::vector<int> all(50);
  std::iota(all.begin(), all.end(), 1);
  EXPECT_EQ(values(player), all);
}

TEST_F(SourcePolicy, QueueTellsOfFramesThatItCouldNotKeepUpWith) {
  Player player(into_sink("policy=queue max-pins=2"));
  Valve valve(player);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 6});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  ASSERT_TRUE(valve.entered());
  for (int i = 2; i <= 40; ++i) write(writer, i);
  valve.open();
  const std::string qos = player.message(GST_MESSAGE_QOS);
  EXPECT_THAT(qos, AllOf(StartsWith("qos"), HasSubstr("format=(GstFormat)buffers")));
  const std::uint64_t lapped = player.stat("lapped");
  EXPECT_GE(lapped, 30u);
  EXPECT_THAT(qos, HasSubstr("dropped=(guint64)" + std::to_string(lapped)));
  ASSERT_TRUE(reel_test::wait_until([&] { return values(player).back() == 40; }));
  EXPECT_TRUE(player.buffers()[1].discont) << "after the gap";
}

TEST_F(SourcePolicy, LatestJumpsToTheNewestFrame) {
  Player player(into_sink("policy=latest max-pins=2"));
  Valve valve(player);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  ASSERT_TRUE(valve.entered());
  for (int i = 2; i <= 40; ++i) write(writer, i);
  valve.open();
  ASSERT_TRUE(player.wait_for(2));
  EXPECT_THAT(values(player), ElementsAre(1, 40));
  EXPECT_EQ(player.stat("skipped"), 38u);
}

TEST_F(SourcePolicy, StartsAtTheOldestFrameOrWithTheNextOne) {
  FrameWriter writer(stream(), picture(), {.slots = 24, .history = 3});
  for (int i = 1; i <= 3; ++i) write(writer, i);
  Player oldest(into_sink("start=oldest policy=lossless"));
  Player live(into_sink("start=live"));
  oldest.play();
  live.play();
  ASSERT_TRUE(wait_for_readers(writer, 2));
  write(writer, 4);
  ASSERT_TRUE(oldest.wait_for(4) && live.wait_for(1));
  EXPECT_THAT(values(oldest), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(values(live), ElementsAre(4));
}

TEST_F(SourcePolicy, ResumesWhereTheReaderOfItsNameLeftOff) {
  FrameWriter writer(stream(), picture(), {.slots = 24, .history = 8});
  Player player(into_sink("start=resume policy=lossless reader-name=recorder"));
  player.play();
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  ASSERT_TRUE(player.wait_for(1));
  player.stop();
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.readers().empty(); }));
  write(writer, 2);
  write(writer, 3);
  player.play();
  ASSERT_TRUE(player.wait_for(3));
  EXPECT_THAT(values(player), ElementsAre(1, 2, 3));
}

TEST_F(SourcePolicy, AnEncodedStreamBeginsAtAKeyFrameWhichIsAskedFor) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), h264(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  write_unit(writer, 1, false);
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.take_key_frame_request(); }));
  write_unit(writer, 2, false);
  write_unit(writer, 3, true, reel::kHeader);
  write_unit(writer, 4, false);
  ASSERT_TRUE(player.wait_for(2));
  EXPECT_THAT(values(player), ElementsAre(3, 4));
  EXPECT_EQ(player.stat("undecodable"), 2u);
}

TEST_F(SourcePolicy, AfterAGapAnEncodedStreamGoesOnAtAKeyFrame) {
  Player player(into_sink("policy=queue max-pins=2"));
  Valve valve(player);
  player.play();
  FrameWriter writer(stream(), h264(), {.slots = 6});
  ASSERT_TRUE(wait_for_readers(writer));
  write_unit(writer, 1, true);
  ASSERT_TRUE(valve.entered());
  for (int i = 2; i <= 30; ++i) write_unit(writer, i, false);
  valve.open();
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.take_key_frame_request(); }));
  write_unit(writer, 31, true);
  write_unit(writer, 32, false);
  ASSERT_TRUE(player.wait_for(3));
  EXPECT_THAT(values(player), ElementsAre(1, 31, 32));
}

TEST_F(SourcePolicy, AKeyFrameThatDownstreamForcesIsAskedOfTheWriterAtOnce) {
  Player player(into_sink());
  player.play();
  FrameWriter writer(stream(), h264(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  write_unit(writer, 1, true);
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_FALSE(writer.take_key_frame_request());
  GstPad* pad = gst_element_get_static_pad(player.element("out"), "sink");
  for (int i = 0; i < 20; ++i)  // while it waits for a frame
    EXPECT_TRUE(
        gst_pad_push_event(pad, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1)));
  gst_object_unref(pad);
  EXPECT_TRUE(reel_test::wait_until([&] { return writer.take_key_frame_request(); }));
  write_unit(writer, 2, true);
  EXPECT_TRUE(player.wait_for(2)) << "and it still waits for frames";
}

class SourceDamage : public SourcePolicy {
 protected:
  static void write_damaged(FrameWriter& writer) {
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
    std::byte* payload = loan.data().data();
    std::fill_n(payload, kFrameBytes, std::byte{1});
    ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok);
    payload[10] = std::byte{2};
  }
  // The reader is held up, so that the frame is damaged before it looks.
  void damage_one(Player& player, FrameWriter& writer) {
    Valve valve(player);
    player.play();
    ASSERT_TRUE(wait_for_readers(writer));
    write(writer, 1);
    ASSERT_TRUE(valve.entered());
    write_damaged(writer);
    write(writer, 3);
    valve.open();
    ASSERT_TRUE(reel_test::wait_until([&] { return player.stat("corrupted") == 1; }));
    settle(player);
  }
  static void settle(Player& player) {
    (void)reel_test::wait_until([&] { return player.count("buffer") >= 2; }, std::chrono::seconds(2));
  }
};

TEST_F(SourceDamage, ADamagedFrameIsLeftOutAndCounted) {
  FrameWriter writer(stream(), picture(), {.slots = 8});
  Player player(into_sink("policy=lossless"));
  damage_one(player, writer);
  ASSERT_TRUE(player.wait_for(2));
  EXPECT_THAT(values(player), ElementsAre(1, 3));
  EXPECT_THAT(player.message(GST_MESSAGE_QOS), HasSubstr("dropped=(guint64)1"));
}

TEST_F(SourceDamage, ADamagedFrameIsFlaggedWhereItIsWanted) {
  FrameWriter writer(stream(), picture(), {.slots = 8});
  Player player(into_sink("policy=lossless on-corrupted=pass"));
  damage_one(player, writer);
  ASSERT_TRUE(player.wait_for(3));
  EXPECT_TRUE(player.buffers()[1].corrupted);
  EXPECT_FALSE(player.buffers()[2].corrupted);
}

TEST_F(SourceDamage, ADamagedFrameIsAnErrorWhereAsked) {
  FrameWriter writer(stream(), picture(), {.slots = 8});
  Player player(into_sink("policy=lossless on-corrupted=error"));
  damage_one(player, writer);
  EXPECT_THAT(player.end(), AllOf(StartsWith("error: "), HasSubstr(stream()), HasSubstr("checksum")));
}

TEST_F(SourceDamage, ADamagedFrameIsNotSeenByOneThatDoesNotLook) {
  FrameWriter writer(stream(), picture(), {.slots = 8});
  Player player(into_sink("policy=lossless verify=false"));
  player.play();
  ASSERT_TRUE(wait_for_readers(writer));
  write_damaged(writer);
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_EQ(player.stat("verified"), 0u);
}

TEST_F(SourceDamage, AFrameThatTheSourceCallsCorruptedIsNoErrorOfTheStream) {
  FrameWriter writer(stream(), picture(), {.slots = 8});
  Player player(into_sink("policy=lossless on-corrupted=error"));
  player.play();
  ASSERT_TRUE(wait_for_readers(writer));
  FrameInfo info;
  info.flags |= reel::kCorrupted;
  write(writer, 1, info);
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_TRUE(player.buffers().front().corrupted);
}

TEST_F(SourcePolicy, AWriterThatRefusesSaysWhyOnTheBus) {
  FrameWriter writer(stream(), picture(), {.slots = 4});
  Player player(into_sink("max-pins=64"));
  player.play();
  EXPECT_THAT(player.end(), AllOf(StartsWith("error: "), HasSubstr(stream()), HasSubstr("lower `max-pins`")));
}

TEST_F(SourcePolicy, ASinkThatKeepsTimeShowsALiveStreamWithoutDropping) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  reel_test::ChildProcess sender = launch(
      "videotestsrc is-live=true ! video/x-raw,format=NV12,width=64,height=48,framerate=50/1 ! reelsink "
      "stream=" +
      stream());
  Player player(src() + " ! fakesink name=out sync=true max-lateness=5000000 qos=true");
  player.play();
  const auto rendered = [&](const char* what) {
    GstStructure* stats = nullptr;
    g_object_get(player.element("out"), "stats", &stats, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(stats, what, &value);
    gst_structure_free(stats);
    return value;
  };
  ASSERT_TRUE(reel_test::wait_until([&] {  // as gst-launch does
    if (!player.message_there_is(GST_MESSAGE_LATENCY).empty())
      gst_bin_recalculate_latency(GST_BIN(player.pipeline()));
    return rendered("rendered") >= 60;
  })) << sender.errors();
  EXPECT_LE(rendered("dropped"), 10u) << "a few before the latency was known, or where the machine was busy";
}

}  // namespace
}  // namespace gstreamer_test
