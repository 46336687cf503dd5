// reelsrc and its writers: who comes first, who goes how, and what may end a wait.
#include "player.hpp"

#include <unistd.h>

#include <csignal>
#include <future>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameWriter;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kTrouble =
    static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS);

class SourceLife : public SourceTest {
 protected:
  /// The launch line of a live writer.
  [[nodiscard]] std::string live_pictures() const {
    return "videotestsrc is-live=true ! video/x-raw,format=NV12,width=64,height=48,framerate=100/1 ! "
           "reelsink "
           "stream=" +
           stream();
  }
  static std::vector<int> values(const Player& player) {
    std::vector<int> values;
    for (const Left& one : player.buffers()) values.push_back(one.first_byte);
    return values;
  }
};

// "+STREAM" and "-STREAM REASON", as the signals tell.
class Connections {
 public:
  explicit Connections(GstElement* source) {
    g_signal_connect(source, "connected", G_CALLBACK(on_connected), this);
    g_signal_connect(source, "disconnected", G_CALLBACK(on_disconnected), this);
  }
  [[nodiscard]] std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  [[nodiscard]] bool wait_for(std::size_t count) const {
    return reel_test::wait_until([&] { return told().size() >= count; });
  }

 private:
  static void on_connected(GstElement*, const gchar* stream, guint64 count, gpointer self) {
    static_cast<Connections*>(self)->tell("+" + std::string(stream) + " " + std::to_string(count));
  }
  static void on_disconnected(GstElement*, const gchar* stream, const gchar* reason, gpointer self) {
    static_cast<Connections*>(self)->tell("-" + std::string(stream) + " " + reason);
  }
  void tell(std::string text) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(text));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(SourceLife, OutlivesTenWritersThatAreKilled) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  Player player(into_sink());
  Connections connections(player.source());
  player.play();
  constexpr int kLives = 10;
  for (int life = 0; life < kLives; ++life) {
    const std::size_t before = player.count("buffer");
    reel_test::ChildProcess sender = launch(live_pictures());
    ASSERT_TRUE(player.wait_for(before + 5)) << "life " << life << ": " << sender.errors();
    sender.signal(SIGKILL);
    (void)sender.wait();
  }
  ASSERT_TRUE(connections.wait_for(2 * kLives));
  EXPECT_EQ(player.message_there_is(kTrouble), "");
  player.stop();

  int lives = 0;
  const std::vector<Left> buffers = player.buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const bool first_of_life = i == 0 || buffers[i].offset <= buffers[i - 1].offset;
    lives += first_of_life ? 1 : 0;  // the number of a stale frame would begin another
    EXPECT_TRUE(!first_of_life || buffers[i].discont) << "buffer " << i;
    EXPECT_TRUE(i == 0 || buffers[i].pts >= buffers[i - 1].pts) << "buffer " << i;
  }
  EXPECT_EQ(lives, kLives);
  EXPECT_EQ(player.stat("connects"), kLives);
  EXPECT_EQ(player.count("stream-start"), 1u);
  const auto told = connections.told();
  ASSERT_EQ(told.size(), 2u * kLives);
  for (int life = 0; life < kLives; ++life) {
    EXPECT_EQ(told[2 * life], "+" + stream() + " " + std::to_string(life + 1));
    EXPECT_EQ(told[2 * life + 1], "-" + stream() + " lost");
  }
}

// The writer goes on only when the walk is over: had a step waited for it, there would be no end.
TEST_F(SourceLife, AWriterThatIsStoppedHoldsUpNoChangeOfStateAndFramesGoOnWithIt) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  Player player(into_sink());
  player.play();
  reel_test::ChildProcess sender = launch("-e " + live_pictures());
  ASSERT_TRUE(player.wait_for(5)) << sender.errors();
  sender.signal(SIGSTOP);
  std::future<void> walk = std::async(std::launch::async, [&player] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(player.to(GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);  // connected, later waiting
      EXPECT_NE(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
      EXPECT_EQ(player.to(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
      EXPECT_NE(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);  // which meets it anew
      EXPECT_EQ(player.to(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
      EXPECT_NE(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    }
  });
  EXPECT_EQ(walk.wait_for(reel_test::kWatchdog), std::future_status::ready);
  const std::size_t before = player.count("buffer");
  sender.signal(SIGCONT);
  walk.wait();
  EXPECT_TRUE(player.wait_for(before + 20));
  EXPECT_EQ(player.message_there_is(kTrouble), "");
  sender.signal(SIGINT);
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
}

// Without a state walk: the same connection goes on, no frame is stale and no time goes back.
TEST_F(SourceLife, AWriterThatWasStoppedGoesOnOnTheSameConnection) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  Player player(into_sink());
  Connections connections(player.source());
  player.play();
  reel_test::ChildProcess sender = launch("-e " + live_pictures());
  ASSERT_TRUE(player.wait_for(5)) << sender.errors();
  sender.signal(SIGSTOP);
  std::size_t before = 0;
  ASSERT_TRUE(reel_test::wait_until([&] {
    const std::size_t last = std::exchange(before, player.count("buffer"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return last == player.count("buffer");
  })) << "frames of a writer that is stopped";
  sender.signal(SIGCONT);
  ASSERT_TRUE(player.wait_for(before + 20));
  EXPECT_THAT(connections.told(), ElementsAre("+" + stream() + " 1"));
  EXPECT_EQ(player.message_there_is(kTrouble), "");
  sender.signal(SIGINT);
  EXPECT_EQ(player.end(), "eos");
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  const std::vector<Left> buffers = player.buffers();
  for (std::size_t i = 1; i < buffers.size(); ++i) {
    EXPECT_GT(buffers[i].offset, buffers[i - 1].offset) << "buffer " << i;
    EXPECT_GE(buffers[i].pts, buffers[i - 1].pts) << "buffer " << i;
  }
}

TEST_F(SourceLife, DrainsWhatWasPublishedBeforeTheWriterWentThenEndsWhereAsked) {
  Player player(into_sink("on-disconnect=eos policy=lossless"));
  player.play();
  {
    FrameWriter writer(stream(), picture(), {.slots = 16});
    ASSERT_TRUE(wait_for_readers(writer));
    for (int i = 1; i <= 8; ++i) write(writer, i);
  }
  EXPECT_EQ(player.end(), "eos");
  EXPECT_THAT(values(player), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_F(SourceLife, EndsWithTheStreamAfterItsLastFrameThoughItWouldReconnect) {
  Player player(into_sink("policy=lossless"));
  Connections connections(player.source());
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  for (int i = 1; i <= 8; ++i) write(writer, i);
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  EXPECT_THAT(values(player), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(connections.told(), ElementsAre("+" + stream() + " 1", "-" + stream() + " ended"));
}

TEST_F(SourceLife, EndsOnADisconnectThoughTheNextWriterIsThereAtOnce) {
  Player player(into_sink("on-disconnect=eos policy=lossless"));
  player.play();
  std::optional<FrameWriter> writer(std::in_place, stream(), picture());
  ASSERT_TRUE(wait_for_readers(*writer));
  write(*writer, 1);
  writer.reset();
  writer.emplace(stream(), picture());
  write(*writer, 2);
  EXPECT_EQ(player.end(), "eos");
  EXPECT_THAT(values(player), ElementsAre(1));
}

TEST_F(SourceLife, TellsOfALostWriterAsAnErrorWhereAsked) {
  Player player(into_sink("on-disconnect=error"));
  player.play();
  {
    FrameWriter writer(stream(), picture());
    ASSERT_TRUE(wait_for_readers(writer));
  }
  EXPECT_THAT(player.end(),
              AllOf(StartsWith("error: "), HasSubstr("\"" + stream() + "\" has lost its writer"),
                    HasSubstr("on-disconnect is error")));
}

TEST_F(SourceLife, WithoutReconnectEndsWhenItsOnlyWriterIsLost) {
  FrameWriter first(stream(), picture());
  Player player(into_sink("reconnect=false"));
  player.play();
  ASSERT_TRUE(wait_for_readers(first));
  write(first, 1);
  ASSERT_TRUE(player.wait_for(1));
  { const FrameWriter gone = std::move(first); }
  EXPECT_EQ(player.end(), "eos");
}

TEST_F(SourceLife, WaitsForAWriterNoLongerThanItsTimeout) {
  Player player(into_sink("timeout=100000000"));
  player.play();
  EXPECT_THAT(player.end(),
              AllOf(StartsWith("error: Waited in vain for the writer of stream"), HasSubstr(stream()),
                    HasSubstr("100 ms (timeout)"), HasSubstr("looked in " + runtime_.path())));

  Player ends(into_sink("timeout=100000000 on-disconnect=eos"));
  ends.play();
  EXPECT_EQ(ends.end(), "eos");
}

TEST_F(SourceLife, TellsOfAWriterThatHasItsNameAndNothingToWriteYet) {
  const FrameWriter writer(stream());
  Player player(into_sink("timeout=100000000"));
  player.play();
  EXPECT_THAT(player.end(), AllOf(StartsWith("error: Waited in vain for the writer of stream"),
                                  HasSubstr("process " + std::to_string(::getpid()) +
                                            " has taken its name and written nothing yet")));
}

TEST_F(SourceLife, WithoutReconnectAWriterThatIsNotThereIsAnErrorThatEndsWithTheNameThatWasMeant) {
  const FrameWriter near(stream(), picture());
  Player player("reelsrc name=source reconnect=false stream=" + stream() + "x ! fakesink");
  EXPECT_EQ(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  const std::string said = player.end();
  EXPECT_THAT(said, AllOf(HasSubstr("reconnect=false does not wait for its writer"),
                          HasSubstr("did you mean '" + stream() + "'?")));
  EXPECT_THAT(said, Not(HasSubstr("?."))) << "a question has no full stop";
}

TEST_F(SourceLife, ANameThatNoStreamCanHaveIsAnErrorThatSaysWhichCan) {
  Player player("reelsrc name=source stream=Bad*Name ! fakesink");
  EXPECT_EQ(player.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(player.end(), AllOf(StartsWith("error: "), HasSubstr("Bad*Name"), HasSubstr("63")));
  Player nameless("reelsrc name=source ! fakesink");
  EXPECT_EQ(nameless.to(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(nameless.end(), HasSubstr("No stream is named"));
}

TEST_F(SourceLife, AnEndThatTheApplicationSendsComesThroughWhileItWaits) {
  Player player(into_sink());
  player.play();
  gst_element_send_event(player.pipeline(), gst_event_new_eos());
  EXPECT_EQ(player.end(), "eos");
}

TEST_F(SourceLife, IsFlushedWhileItWaitsAndGoesOnAfterwards) {
  // async=false: GStreamer 1.22 itself deadlocks now and then when a source is flushed while its pipeline
  // still completes the change of state that the flush before it began (child's and parent's state lock).
  Player player(into_sink("timeout=3600000000000") + " async=false");
  player.play();
  for (int i = 0; i < 3; ++i) {  // for a writer
    ASSERT_TRUE(gst_element_send_event(player.source(), gst_event_new_flush_start()));
    ASSERT_TRUE(gst_element_send_event(player.source(), gst_event_new_flush_stop(TRUE)));
  }
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  ASSERT_TRUE(player.wait_for(1));
  for (int i = 0; i < 3; ++i) {  // for a frame
    ASSERT_TRUE(gst_element_send_event(player.source(), gst_event_new_flush_start()));
    ASSERT_TRUE(gst_element_send_event(player.source(), gst_event_new_flush_stop(TRUE)));
  }
  write(writer, 2);
  ASSERT_TRUE(player.wait_for(2));
  EXPECT_EQ(player.message_there_is(kTrouble), "");
}

TEST_F(SourceLife, WalksThroughAllStatesFromSeveralThreadsWhileFramesComeAndWritersGo) {
  Player player(into_sink());
  std::atomic<bool> done{false};
  std::jthread writing([&] {
    while (!done) {
      FrameWriter writer(stream(), picture(), {.slots = 16, .live = true});
      for (int i = 0; i < 50 && !done; ++i) {
        write(writer, i);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  });
  const auto walk = [&](unsigned seed) {
    std::mt19937 random(seed);
    const GstState states[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};
    for (int i = 0; i < 150; ++i) {
      player.to(states[random() % 4]);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
    }
  };
  {
    std::jthread one(walk, 1);
    std::jthread other(walk, 2);
  }
  player.stop();
  const std::size_t before = player.count("buffer");
  player.play();
  EXPECT_TRUE(player.wait_for(before + 3)) << "it plays as if nothing had been";
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_ERROR), "");
  done = true;
}

TEST_F(SourceLife, SaysGoodbyeWhenItStops) {
  Player player(into_sink());
  Connections connections(player.source());
  player.play();
  FrameWriter writer(stream(), picture());
  ASSERT_TRUE(connections.wait_for(1));
  player.stop();
  EXPECT_THAT(connections.told(), ElementsAre("+" + stream() + " 1", "-" + stream() + " stopped"));
  EXPECT_TRUE(reel_test::wait_until([&] { return writer.readers().empty(); }));
}

}  // namespace
}  // namespace gstreamer_test
