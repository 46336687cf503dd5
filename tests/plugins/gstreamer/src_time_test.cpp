// Times of frames from one pipeline to the other.
#include "player.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gst/check/gsttestclock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/base/clock.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameInfo;
using reel::FrameWriter;
using reel::monotonic_ns;
using reel::Segment;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000'000'000;

class SourceTime : public SourceTest {
 protected:
  static FrameInfo at(std::int64_t pts_ns) {
    FrameInfo info;
    info.pts_ns = pts_ns;
    info.duration_ns = 10 * kMs;
    return info;
  }
  static Segment presented_since(std::int64_t monotonic_ns) {
    Segment segment;
    segment.monotonic_offset_ns = monotonic_ns;
    return segment;
  }
};

// The sender's own running times of what two more sources read as sent, by offset, say what the live ones'
// ought to differ by.
void expect_in_sync(const std::string& video, const std::string& audio, bool receiver_first) {
  const auto line = [](const std::string& stream, const std::string& more) {
    return "reelsrc name=source start=oldest stream=" + stream + " " + more + " ! fakesink sync=false";
  };
  Player live_video(line(video, "is-live=true"));
  Player sent_video(line(video, "is-live=false"));
  Player sent_audio(line(audio, "is-live=false"));
  // Both live ones in one pipeline: they share clock and base time.
  GstElement* live_audio =
      gst_parse_bin_from_description(("reelsrc name=sound stream=" + audio +
                                      " start=oldest ! fakesink name=heard sync=false signal-handoffs=true")
                                         .c_str(),
                                     FALSE, nullptr);
  gst_bin_add(GST_BIN(live_video.pipeline()), live_audio);
  std::mutex mutex;
  std::map<std::uint64_t, GstClockTime> heard;
  struct Ears {
    std::mutex& mutex;
    std::map<std::uint64_t, GstClockTime>& heard;
  } ears{mutex, heard};
  GstElement* sink = gst_bin_get_by_name(GST_BIN(live_audio), "heard");
  g_signal_connect(sink, "handoff", G_CALLBACK(+[](GstElement*, GstBuffer* buffer, GstPad*, gpointer to) {
                     auto* into = static_cast<Ears*>(to);
                     const std::lock_guard lock(into->mutex);
                     into->heard[GST_BUFFER_OFFSET(buffer)] = GST_BUFFER_PTS(buffer);
                   }),
                   &ears);
  gst_object_unref(sink);
  const auto play_all = [&] {
    for (Player* player : {&live_video, &sent_video, &sent_audio}) player->play();
  };
  if (receiver_first) play_all();
  reel_test::ChildProcess sender = launch(
      "videotestsrc is-live=true ! video/x-raw,format=NV12,width=64,height=48,framerate=50/1 ! reelsink "
      "slots=32 stream=" +
      video +
      " audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw,rate=48000 ! reelsink slots=32 stream=" +
      audio);
  if (!receiver_first) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    play_all();
  }
  ASSERT_TRUE(live_video.wait_for(30)) << sender.errors();
  ASSERT_TRUE(sent_video.wait_for(30) && sent_audio.wait_for(60)) << sender.errors();
  ASSERT_TRUE(reel_test::wait_until([&] {
    const std::lock_guard lock(mutex);
    return heard.size() >= 60;
  }));
  sender.signal(SIGINT);
  for (Player* player : {&live_video, &sent_video, &sent_audio}) player->stop();

  std::map<std::int64_t, int> differences;  // live minus sent
  const auto compare = [&](const std::vector<Left>& as_sent,
                           const std::map<std::uint64_t, GstClockTime>& lived) {
    int compared = 0;
    for (const Left& one : as_sent) {
      const auto found = lived.find(one.offset);
      if (found == lived.end() || found->second == 0) continue;  // 0: from before its pipeline's zero
      ++differences[static_cast<std::int64_t>(found->second) - one.running_ns];
      ++compared;
    }
    EXPECT_GE(compared, 10);
  };
  std::map<std::uint64_t, GstClockTime> seen;
  for (const Left& one : live_video.buffers()) seen[one.offset] = one.pts;
  compare(sent_video.buffers(), seen);
  compare(sent_audio.buffers(), heard);
  EXPECT_EQ(differences.size(), 1u) << "sound and picture differ by the same, to the nanosecond";
}

TEST_F(SourceTime, SoundAndPictureOfOneSenderStayInSyncWhenTheReceiverIsFirst) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  expect_in_sync(stream() + ".v", stream() + ".a", true);
}

TEST_F(SourceTime, SoundAndPictureOfOneSenderStayInSyncWhenTheSenderIsFirst) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  expect_in_sync(stream() + ".v", stream() + ".a", false);
}

TEST_F(SourceTime, NotLivePassesSegmentAndTimesThroughExactly) {
  Player player(into_sink("is-live=false policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  writer.set_segment({.start_ns = 0, .time_ns = 0, .base_ns = 0});
  write(writer, 1, at(30 * kS));
  writer.set_segment({.start_ns = 0, .time_ns = 0, .base_ns = 30 * kS});
  write(writer, 2, at(1 * kS));
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  const auto buffers = player.buffers();
  ASSERT_EQ(buffers.size(), 2u);
  EXPECT_EQ(buffers[0].pts, 30u * kS);
  EXPECT_EQ(buffers[1].pts, 1u * kS);
  EXPECT_EQ(buffers[1].running_ns - buffers[0].running_ns, 1 * kS);
}

TEST_F(SourceTime, NotLiveGoesOnWithTheNextWriterWhereTheLastOneEnded) {
  Player player(into_sink("is-live=false"));
  player.play();
  for (int life = 0; life < 3; ++life) {
    FrameWriter writer(stream(), picture());
    ASSERT_TRUE(wait_for_readers(writer));
    writer.set_segment({});
    for (int i = 0; i < 3; ++i) write(writer, i, at(i * 10 * kMs));
    ASSERT_TRUE(player.wait_for(3u * (life + 1)));
  }
  const auto buffers = player.buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i)
    EXPECT_EQ(buffers[i].running_ns, static_cast<std::int64_t>(i) * 10 * kMs);
}

TEST_F(SourceTime, ASegmentsStopEndsNothing) {
  Player player(into_sink("is-live=false policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  writer.set_segment({.stop_ns = 30 * kMs});
  for (const int pts_ms : {0, 30, 10, 20}) write(writer, 1, at(pts_ms * kMs));  // as B-frames lie
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  EXPECT_EQ(player.buffers().size(), 4u);
}

TEST_F(SourceTime, FramesFromBeforeALosslessReadersPipelineKeepTheirDistances) {
  FrameWriter writer(stream(), picture(), {.slots = 32, .history = 10});
  writer.set_segment(presented_since(monotonic_ns() - 60 * kS));
  for (int i = 0; i < 10; ++i) write(writer, i, at(i * 10 * kMs));
  Player player(into_sink("policy=lossless start=oldest"));
  player.play();
  ASSERT_TRUE(player.wait_for(10));
  const auto buffers = player.buffers();
  for (std::size_t i = 1; i < buffers.size(); ++i)
    EXPECT_EQ(buffers[i].running_ns - buffers[i - 1].running_ns, 10 * kMs) << "none is moved onto another";
  EXPECT_GE(buffers.front().running_ns, 0);
  EXPECT_EQ(static_cast<std::int64_t>(buffers.front().pts), buffers.front().running_ns);
}

TEST_F(SourceTime, OfPicturesFromBeforeThePipelineOnlyTheNewestIsShown) {
  FrameWriter writer(stream(), picture(), {.slots = 32, .history = 10});
  writer.set_segment(presented_since(monotonic_ns() - 60 * kS));
  for (int i = 0; i < 10; ++i) write(writer, i, at(i * 10 * kMs));
  Player player(into_sink("start=oldest"));
  player.play();
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_EQ(player.buffers().front().first_byte, 9);
  EXPECT_EQ(player.buffers().front().pts, 0u);
  EXPECT_EQ(player.stat("late"), 9u);
}

TEST_F(SourceTime, DoTimestampStampsFramesWhenTheyCome) {
  Player player(into_sink("do-timestamp=true"));
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  writer.set_segment(presented_since(monotonic_ns() + 1000 * kS));
  write(writer, 1, at(0));
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_LT(player.buffers().front().pts, 500u * kS) << "not the sender's, which lies far ahead";
}

TEST_F(SourceTime, DoTimestampCanBeTurnedOnAndOffWhilePlaying) {
  Player player(into_sink());
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  const std::int64_t ahead_ns = 1000 * kS;  // of what the pipeline's clock says
  writer.set_segment(presented_since(monotonic_ns() + ahead_ns));
  for (const int number : {1, 2, 3}) {
    g_object_set(player.source(), "do-timestamp", static_cast<gboolean>(number == 2), nullptr);
    write(writer, number, at(number * 10 * kMs));
    ASSERT_TRUE(player.wait_for(static_cast<std::size_t>(number)));
  }
  const std::vector<Left> buffers = player.buffers();
  EXPECT_GT(buffers[0].pts, 500u * kS);
  EXPECT_LT(buffers[1].pts, 500u * kS) << "stamped when it was handed on";
  EXPECT_GT(buffers[2].pts, 500u * kS);
}

// A sink that waits for the clock holds each buffer for its processing deadline after the time at which it
// was handed on. Behind a queue that is a delay; without one the next frame is not taken meanwhile (of this
// sound, whose buffers are shorter, half was lost).
TEST_F(SourceTime, SoundThatIsStampedByItsReceiverIsCompleteBehindAQueue) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  constexpr std::uint64_t kSamples = 480;  // 10 ms
  Player player(src("do-timestamp=true") + " ! queue ! fakesink name=out sync=true");
  player.play();
  reel_test::ChildProcess sender = launch(
      "-e audiotestsrc is-live=true samplesperbuffer=480 num-buffers=200 ! "
      "audio/x-raw,format=S16LE,rate=48000,channels=2 ! reelsink is-live=true slots=256 wait-for-readers=1 "
      "stream=" +
      stream());
  EXPECT_EQ(player.end(), "eos");
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  const std::vector<Left> buffers = player.buffers();
  ASSERT_EQ(buffers.size(), 200u);
  for (std::size_t i = 1; i < buffers.size(); ++i) {
    EXPECT_EQ(buffers[i].offset, buffers[i - 1].offset + kSamples) << "buffer " << i;
    EXPECT_GE(buffers[i].pts, buffers[i - 1].pts) << "buffer " << i;
  }
  EXPECT_EQ(player.stat("lapped"), 0u);
}

TEST_F(SourceTime, AnotherClockIsPairedWithTheMonotonicOne) {
  Player player(into_sink());
  GstClock* clock = gst_test_clock_new_with_start_time(5000 * GST_SECOND);
  gst_pipeline_use_clock(GST_PIPELINE(player.pipeline()), clock);
  player.play();
  gst_test_clock_advance_time(GST_TEST_CLOCK(clock), GST_SECOND);  // it stands still from here on
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  const std::int64_t now_ns = monotonic_ns();
  writer.set_segment(presented_since(now_ns));
  for (int i = 1; i <= 5; ++i) write(writer, i, at(2 * kS + i * 10 * kMs));
  ASSERT_TRUE(player.wait_for(5));
  const auto buffers = player.buffers();
  EXPECT_GT(buffers.front().running_ns, 2 * kS) << "2 s after what that clock shows";
  EXPECT_LE(buffers.front().running_ns, 3 * kS + 10 * kMs);
  for (std::size_t i = 1; i < buffers.size(); ++i) {
    const std::int64_t step_ns = buffers[i].running_ns - buffers[i - 1].running_ns;
    EXPECT_NEAR(static_cast<double>(step_ns), 10.0 * kMs, 5.0 * kMs) << "measuring anew makes no jumps";
  }
  gst_object_unref(clock);
}

GstClockTime asked_latency(GstElement* source, GstClockTime* most) {
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  GstClockTime least = 0;
  EXPECT_TRUE(gst_element_query(source, query));
  gst_query_parse_latency(query, &live, &least, most);
  gst_query_unref(query);
  EXPECT_TRUE(live);
  return least;
}

TEST_F(SourceTime, LatencyIsAFrameAndAtMostTheRingAndTellsWhenItIsKnown) {
  Player player(into_sink("max-pins=2"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  writer.set_segment(presented_since(monotonic_ns() + kS));
  write(writer, 1, at(0));
  EXPECT_THAT(player.message(GST_MESSAGE_LATENCY), ::testing::StartsWith("latency"));
  ASSERT_TRUE(player.wait_for(1));
  GstClockTime most = 0;
  const GstClockTime least = asked_latency(player.source(), &most);
  EXPECT_GE(least, 10u * kMs) << "100 frames a second";
  EXPECT_EQ(most - least, 160u * kMs) << "16 slots";
}

TEST_F(SourceTime, LatencyOfALosslessReaderHasNoBound) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1, at(0));
  ASSERT_TRUE(player.wait_for(1));
  GstClockTime most = 0;
  (void)asked_latency(player.source(), &most);
  EXPECT_EQ(most, GST_CLOCK_TIME_NONE);
}

TEST_F(SourceTime, TheSendersLatencyIsPassedOn) {
  Player player(into_sink());
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  const std::int64_t start_ns = monotonic_ns();
  writer.set_segment(presented_since(start_ns));
  for (int i = 0; i < 30; ++i) {  // each is published 150 ms after its presentation
    const std::int64_t pts_ns = i * 10 * kMs;
    std::this_thread::sleep_for(std::chrono::nanoseconds(start_ns + pts_ns + 150 * kMs - monotonic_ns()));
    write(writer, i, at(pts_ns));
  }
  ASSERT_TRUE(reel_test::wait_until([&] { return player.stat("sequence") == 30; }));
  GstClockTime most = 0;
  EXPECT_GE(asked_latency(player.source(), &most), 150u * kMs);
}

TEST_F(SourceTime, GoesOnWithoutStepsBackAfterAPauseAndShowsNothingStale) {
  Player player(into_sink());
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16, .live = true});
  ASSERT_TRUE(wait_for_readers(writer));
  const std::int64_t start_ns = monotonic_ns();
  writer.set_segment(presented_since(start_ns));
  int value = 0;
  const auto write_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      value = std::min(value + 1, 255);  // what a byte holds
      write(writer, value, at(monotonic_ns() - start_ns));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  };
  write_some(5);
  ASSERT_TRUE(player.wait_for(5));
  player.to(GST_STATE_PAUSED);
  gst_element_get_state(player.pipeline(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
  write_some(20);
  const int during_pause = value;
  const std::size_t before = player.buffers().size();
  player.play();
  ASSERT_TRUE(reel_test::wait_until([&] {
    write_some(1);
    return player.buffers().size() >= before + 5;
  }));
  const auto buffers = player.buffers();
  for (std::size_t i = 1; i < buffers.size(); ++i)
    EXPECT_GE(buffers[i].running_ns, buffers[i - 1].running_ns);
  for (std::size_t i = before; i < buffers.size(); ++i) EXPECT_GT(buffers[i].first_byte, during_pause);
}

}  // namespace
}  // namespace gstreamer_test
