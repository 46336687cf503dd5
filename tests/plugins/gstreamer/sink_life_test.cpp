// Ends, new beginnings, clients that hang or die, and everything that must be there no more afterwards.
#include "sender.hpp"

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SinkLife : public SinkTest {};

TEST_F(SinkLife, FiveBuffersWithoutAClientEndWell) {
  Sender sender(pictures(5) + sink());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  sender.stop();
  EXPECT_EQ(sender.error(), "");
  EXPECT_EQ(sender.stat("published"), 5u) << "stats of the life that is over";
  EXPECT_EQ(sender.stat("in-place"), 5u);
  EXPECT_TRUE(runtime_.entries().empty()) << runtime_.entries().front();
}

// From a limit at which GStreamer itself cannot start to one at which everything can.
TEST_F(SinkLife, WithoutDescriptorsItFailsWithAMessageAndEndsNoProcess) {
  bool told = false;
  std::string last;
  for (int limit = 14; limit < 40; ++limit) {
    ChildProcess child = ChildProcess::program(
        "bash",
        {"-c",
         "ulimit -n " + std::to_string(limit) +
             "; exec gst-launch-1.0 -q videotestsrc num-buffers=3 ! reelsink sync=false stream=" + stream()});
    const reel_test::ExitStatus status = child.wait();
    EXPECT_FALSE(status.timed_out) << limit;
    EXPECT_THAT(child.errors(), Not(HasSubstr("terminate called"))) << limit;
    told = told || child.errors().find("stream \"" + stream()) != std::string::npos;
    last = child.errors();
  }
#if !defined(__SANITIZE_ADDRESS__)  // whose runtime itself needs some, and ends a program that leaves none
  EXPECT_TRUE(told) << "no limit left reelsink itself without";
#endif
  EXPECT_EQ(last, "");
}

TEST_F(SinkLife, ARingFarSmallerThanTheDataIsFilledAndResumed) {
  for (const char* before : {"", " ! identity drop-allocation=true"}) {
    Sender sender(pictures(500) + before + sink("slots=4 wait-for-readers=1"));
    Watcher watcher(stream(), Watcher::lossless(), true);
    sender.start();
    ASSERT_TRUE(reel_test::wait_until([&] { return sender.stat("waits") > 0; }));
    watcher.resume();
    EXPECT_EQ(sender.end(), "eos");
    EXPECT_EQ(watcher.end(), "ended");
    EXPECT_EQ(watcher.pictures(), plain(pictures(500)));
  }
}

TEST_F(SinkLife, TheEndComesAfterEveryFrameThoughTheSenderIsGone) {
  ChildProcess sender = launch(pictures(100) + sink("wait-for-readers=2 slots=128 history=100"));
  Watcher slow(stream(), Watcher::lossless(), true);
  Watcher fast(stream());
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  slow.resume();
  const Pictures expected = plain(pictures(100));
  EXPECT_EQ(slow.end(), "ended");
  EXPECT_EQ(slow.pictures(), expected);
  EXPECT_EQ(fast.end(), "ended");
  EXPECT_EQ(fast.pictures(), expected);
}

// A flush after the end, without READY between: what follows is a new stream of the same name.
TEST_F(SinkLife, DataAfterTheEndBeginsANewStream) {
  const std::string line =
      std::string("filesrc location=") + REEL_TEST_CLIP + " ! qtdemux ! h264parse ! avdec_h264";
  const Pictures expected = plain(line);
  Sender sender(line + sink("wait-for-readers=1"));
  auto first = std::make_unique<Watcher>(stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(first->end(), "ended");
  EXPECT_EQ(first->pictures(), expected);
  first.reset();
  EXPECT_TRUE(gst_element_seek_simple(sender.pipeline(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  // Whoever joins before the first buffer finds the stream that has ended.
  ASSERT_TRUE(reel_test::wait_until([&] { return sender.stat("published") == 0; }));
  Watcher second(stream());
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(second.end(), "ended");
  EXPECT_EQ(second.pictures(), expected);
  EXPECT_EQ(sender.error(), "");
}

TEST_F(SinkLife, ANameInUseIsABusyErrorThatNamesTheStream) {
  Sender first(pictures(5) + sink());
  EXPECT_EQ(first.to(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  Sender second(pictures(5) + sink());
  EXPECT_EQ(second.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(second.error(), AllOf(HasSubstr(stream()), HasSubstr("already written by process")));
  first.stop();
  EXPECT_EQ(second.to(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS) << "the name is free again";
}

// Whoever asks for its numbers at that moment does not keep the name from the next stream.
TEST_F(SinkLife, LetsItsNameGoThoughItsNumbersAreAskedForAllTheTime) {
  Sender sender(pictures(5) + sink());
  std::atomic<bool> stopped{false};
  std::vector<std::thread> pollers;
  for (int i = 0; i < 4; ++i)
    pollers.emplace_back([&] {
      while (!stopped.load(std::memory_order_relaxed)) {
        guint clients = 0;
        g_object_get(sender.sink(), "num-clients", &clients, nullptr);
        (void)sender.stat("published");
      }
    });
  GstStateChangeReturn change = GST_STATE_CHANGE_SUCCESS;
  for (int cycle = 0; cycle < 300 && change == GST_STATE_CHANGE_SUCCESS; ++cycle) {
    change = sender.to(cycle % 10 == 0 ? GST_STATE_PAUSED : GST_STATE_READY);
    EXPECT_EQ(change, GST_STATE_CHANGE_SUCCESS) << cycle << ": " << sender.error();
    sender.stop();
  }
  stopped.store(true, std::memory_order_relaxed);
  for (std::thread& poller : pollers) poller.join();
}

TEST_F(SinkLife, AStreamNameThatIsNoneIsAnErrorThatSaysSo) {
  Sender bad("videotestsrc ! reelsink name=sink stream=\"a b\"");
  EXPECT_EQ(bad.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(bad.error(), AllOf(StartsWith("error: "), HasSubstr("a b")));
  Sender none("videotestsrc ! reelsink name=sink");
  EXPECT_EQ(none.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(none.error(), HasSubstr("set the property 'stream'"));
}

// A source that cannot wait does not: whatever its consumers do.
TEST_F(SinkLife, StoppedAndKilledConsumersDoNotSlowALiveProducer) {
  Sender sender(
      "videotestsrc is-live=true pattern=ball animation-mode=frames ! "
      "video/x-raw,format=NV12,width=320,height=240,framerate=100/1" +
      sink("is-live=true"));
  sender.start();
  Watcher here(stream());
  ASSERT_TRUE(here.wait_for(20));
  auto stopped = start_watching(stream());
  auto killed = start_watching(stream());
  guint clients = 0;
  ASSERT_TRUE(reel_test::wait_until([&] {
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    return clients == 3;
  }));
  stopped.signal(SIGSTOP);
  killed.signal(SIGSTOP);
  ASSERT_TRUE(here.wait_for(here.pictures().size() + 100));
  killed.signal(SIGKILL);
  ASSERT_TRUE(here.wait_for(here.pictures().size() + 100));
  EXPECT_EQ(sender.stat("waits"), 0u) << sender.stats();
  EXPECT_EQ(sender.stat("heap-buffers"), 0u) << sender.stats();
  EXPECT_EQ(sender.error(), "");
  stopped.signal(SIGCONT);
}

TEST_F(SinkLife, AStoppedConsumerHoldsUpAProducerThatIsNotLiveUntilItIsKilled) {
  Sender sender(pictures(300) + sink("wait-for-readers=1"));
  auto consumer = start_watching(stream());
  guint clients = 0;
  sender.to(GST_STATE_PAUSED);
  sender.start();
  ASSERT_TRUE(reel_test::wait_until([&] {
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    return clients == 1;
  }));
  consumer.signal(SIGSTOP);
  if (reel_test::wait_until([&] { return sender.stat("waits") > 0 || sender.stat("published") == 300; }))
    consumer.signal(SIGKILL);
  EXPECT_EQ(sender.end(), "eos");
}

TEST_F(SinkLife, AThousandStateCyclesLeaveNothing) {
  Sender sender("videotestsrc ! video/x-raw,width=64,height=48" + sink());
  std::size_t descriptors = 0, memory = 0;
  for (int cycle = 0; cycle < 1000; ++cycle) {
    if (cycle == 200) {
      descriptors = reel_test::open_descriptors();
      memory = reel_test::resident_bytes();
    }
    EXPECT_NE(sender.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    EXPECT_NE(sender.to(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    if (cycle % 3 != 0) {
      EXPECT_NE(sender.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    }
    if (cycle % 5 == 0) {
      EXPECT_NE(sender.to(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
      EXPECT_NE(sender.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    }
    sender.stop();
  }
  EXPECT_LE(reel_test::open_descriptors(), descriptors);
#if !defined(__SANITIZE_ADDRESS__)  // which keeps what was freed, to catch its use
  EXPECT_LE(reel_test::resident_bytes(), memory + (8u << 20));
#else
  (void)memory;
#endif
  EXPECT_TRUE(reel_test::mappings_of("reel." + stream()).empty());
  EXPECT_EQ(sender.error(), "");
}

TEST_F(SinkLife, HundredsOfClientsThatComeAndGoLeaveNothing) {
  Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=1000/1" +
                sink("is-live=true"));
  sender.start();
  std::size_t descriptors = 0, memory = 0;
  for (int client = 0; client < 500; ++client) {
    if (client == 100) {
      descriptors = reel_test::open_descriptors();
      memory = reel_test::resident_bytes();
    }
    Watcher watcher(stream());
    ASSERT_TRUE(watcher.wait_for(1)) << client;
  }
  ASSERT_TRUE(reel_test::wait_until([&] {
    guint clients = 1;
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    return clients == 0 && reel_test::open_descriptors() <= descriptors;
  })) << reel_test::open_descriptors()
      << " descriptors, " << descriptors << " before";
#if !defined(__SANITIZE_ADDRESS__)  // which keeps what was freed, to catch its use
  EXPECT_LE(reel_test::resident_bytes(), memory + (8u << 20));
#else
  (void)memory;
#endif
}

// gst-launch with the leaks tracer says which objects are alive at its end.
std::string alive_after(const std::string& line) {
  std::vector<std::string> words{"-q"};
  std::istringstream text(line);
  for (std::string word; text >> word;) words.push_back(word);
  ChildProcess child = ChildProcess::program(
      "gst-launch-1.0", words,
      {{"GST_TRACERS", "leaks"}, {"GST_DEBUG", "GST_TRACER:7"}, {"GST_DEBUG_NO_COLOR", "1"}});
  EXPECT_TRUE(child.wait().ok()) << child.errors();
  std::string alive;
  std::istringstream log(child.errors());
  for (std::string one; std::getline(log, one);) {
    if (one.find(" TRACE ") != std::string::npos && one.find("object-alive,") != std::string::npos)
      alive += one + "\n";
  }
  return alive;
}

TEST_F(SinkLife, TheLeaksTracerFindsNothing) {
  EXPECT_EQ(alive_after(pictures(20) + sink()), "");
  EXPECT_EQ(alive_after("audiotestsrc num-buffers=20" + sink()), "");
  EXPECT_EQ(alive_after(std::string("filesrc location=") + REEL_TEST_CLIP +
                        " ! qtdemux ! h264parse ! avdec_h264" + sink()),
            "");
}

const reel_test::Role leaking("leak", [](const std::vector<std::string>&) {
  set_up();
  (void)gst_element_factory_make("reelsink", nullptr);
  gst_deinit();
  return 0;
});

TEST_F(SinkLife, TheLeaksTracerWouldFindASinkThatLeaked) {
  ChildProcess child = ChildProcess::role(
      "leak", {}, {{"GST_TRACERS", "leaks"}, {"GST_DEBUG", "GST_TRACER:7"}, {"GST_DEBUG_NO_COLOR", "1"}});
  EXPECT_TRUE(child.wait().ok());
  EXPECT_THAT(child.errors(), AllOf(HasSubstr("object-alive,"), HasSubstr("ReelSink")));
}

}  // namespace
}  // namespace gstreamer_test
