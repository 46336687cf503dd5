// A lossless reader that does not read holds the stream up, and nothing else: pauses, flushes and stops are
// prompt wherever in the pipeline somebody waits.
#include "sender.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <gmock/gmock.h>
#include <reel/channel/frame_writer.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A pipeline's head and where its threads wait for a slot.
struct Head {
  const char* name;
  std::string line;
};
void PrintTo(const Head& head, std::ostream* out) {
  *out << head.name;
}

std::vector<Head> heads() {
  const std::string video =
      "videotestsrc pattern=ball animation-mode=frames num-buffers=120 ! "
      "video/x-raw,format=NV12,width=320,height=240,framerate=100/1";
  const std::string clip =
      std::string("filesrc location=") + REEL_TEST_CLIP + " ! qtdemux ! h264parse ! avdec_h264";
  return {
      {"PoolOfASource", video},
      {"PoolOfAConverter", video + " ! videoconvert ! video/x-raw,format=I420"},
      {"PoolOfADecoder", clip},
      {"PoolBehindAQueue", video + " ! queue max-size-buffers=3"},
      {"DecoderBehindAQueue", clip + " ! queue max-size-buffers=3"},
      {"AllocatorOfASource", "audiotestsrc num-buffers=120 ! audio/x-raw,format=S16LE,rate=48000,channels=2"},
      {"CopyOfTheSink", video + " ! identity drop-allocation=true"}};
}

class Waiting : public SinkTest, public ::testing::WithParamInterface<Head> {
 protected:
  [[nodiscard]] std::string line() const { return GetParam().line + sink("wait-for-readers=1"); }
  /// Plays until somebody waits for the reader, which has stopped reading.
  void play_until_it_waits(Sender& sender) {
    sender.start();
    ASSERT_TRUE(reel_test::wait_until([&] { return sender.stat("waits") > 0; })) << sender.stats();
  }
};

TEST_P(Waiting, PausedAndPlayedAgainEveryFrameArrives) {
  Sender sender(line());
  Watcher watcher(stream(), Watcher::lossless(), true);
  play_until_it_waits(sender);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(gst_element_set_state(sender.pipeline(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    sender.start();
  }
  watcher.resume();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(GetParam().line));
}

TEST_P(Waiting, StopsAtOnce) {
  for (const GstState to : {GST_STATE_NULL, GST_STATE_READY}) {
    Sender sender(line());
    Watcher watcher(stream(), Watcher::lossless(), true);
    play_until_it_waits(sender);
    EXPECT_EQ(sender.to(to), GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(sender.error(), "");
  }
}

TEST_P(Waiting, StopsAtOnceWhenItWasPausedFirst) {
  Sender sender(line());
  Watcher watcher(stream(), Watcher::lossless(), true);
  play_until_it_waits(sender);
  EXPECT_NE(gst_element_set_state(sender.pipeline(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  EXPECT_EQ(sender.to(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(sender.error(), "");
}

TEST_P(Waiting, FlushesAtOnceAndGoesOnFromThere) {
  Sender sender(line());
  Watcher watcher(stream(), Watcher::lossless(), true);
  play_until_it_waits(sender);
  EXPECT_TRUE(gst_element_seek_simple(sender.pipeline(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  watcher.resume();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  const std::vector<std::int64_t> pts = watcher.pts_ns();
  const auto again = std::find(pts.begin() + 1, pts.end(), pts.front());
  ASSERT_NE(again, pts.end()) << "the beginning did not come again";
  const Pictures seen = watcher.pictures();
  const Pictures expected = plain(GetParam().line);
  if (GetParam().line.starts_with("audiotestsrc")) return;  // its wave goes on where it was
  const auto from = static_cast<std::size_t>(again - pts.begin());
  ASSERT_LE(seen.size() - from, expected.size());
  // num-buffers counts those before the seek too.
  EXPECT_TRUE(std::equal(seen.begin() + static_cast<std::ptrdiff_t>(from), seen.end(), expected.begin()));
}

TEST_P(Waiting, AReaderThatStallsTooLongIsWaitedForNoMore) {
  Sender sender(line() + " stall-timeout=200000000");
  Watcher watcher(stream(), Watcher::lossless(), true);
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(sender.stat("demoted"), 1u) << sender.stats();
}

INSTANTIATE_TEST_SUITE_P(At, Waiting, ::testing::ValuesIn(heads()),
                         [](const auto& head) { return std::string(head.param.name); });

class WaitingForReaders : public SinkTest {};

TEST_F(WaitingForReaders, CanBePausedAndPlayedAgain) {
  Sender sender(pictures(50) + sink("wait-for-readers=1"));
  sender.play();
  ASSERT_TRUE(sender.wait_for(1));
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(sender.to(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(sender.to(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  }
  EXPECT_EQ(sender.stat("published"), 0u);
  Watcher watcher(stream());
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(pictures(50)));
}

TEST_F(WaitingForReaders, CanBeStoppedAndFlushed) {
  Sender sender(pictures(50) + sink("wait-for-readers=1"));
  sender.start();
  ASSERT_TRUE(sender.wait_for(1));
  EXPECT_TRUE(gst_element_seek_simple(sender.pipeline(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  ASSERT_TRUE(sender.wait_for(2));
  EXPECT_EQ(sender.to(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(sender.error(), "");
}

TEST_F(WaitingForReaders, ThoseThatAreNamedAreWaitedForThroughPausesToo) {
  Sender sender(pictures(50) + sink("wait-for=eye,ear start-timeout=600000000000"));
  sender.play();
  ASSERT_TRUE(sender.wait_for(1));
  const auto named = [](const char* name) {
    reel::ReaderOptions options = Watcher::lossless();
    options.name = name;
    return options;
  };
  Watcher eye(stream(), named("eye"));
  Watcher nose(stream(), named("nose"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(sender.to(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(sender.to(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  }
  EXPECT_EQ(sender.stat("published"), 0u);
  Watcher ear(stream(), named("ear"));
  EXPECT_EQ(sender.end(), "eos");
  for (Watcher* watcher : {&eye, &ear, &nose}) {
    EXPECT_EQ(watcher->end(), "ended");
    EXPECT_EQ(watcher->pictures(), plain(pictures(50)));
  }
}

TEST_F(WaitingForReaders, AfterStartTimeoutItBeginsWithoutThoseThatAreNamed) {
  Sender sender(pictures(5) + sink("wait-for=eye start-timeout=50000000"));
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(sender.stat("published"), 5u);
}

TEST_F(WaitingForReaders, OneWarningOnTheBusNamesThoseThatDidNotComeInTime) {
  Sender sender(pictures(5) + sink("wait-for=eye,nose start-timeout=200000000"));
  sender.start();
  EXPECT_THAT(sender.next(GST_MESSAGE_WARNING),
              AllOf(HasSubstr("\"" + stream() + "\""), HasSubstr("wait-for names: eye, nose."),
                    HasSubstr("start-timeout, 200000000 ns"), Not(HasSubstr("start_timeout"))));
  EXPECT_EQ(sender.next(static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_EOS)), "eos");
}

TEST_F(WaitingForReaders, NoWarningComesWhereAllThatAreNamedDo) {
  Sender sender(pictures(5) + sink("wait-for=ear start-timeout=600000000000"));
  reel::ReaderOptions options = Watcher::lossless();
  options.name = "ear";
  Watcher ear(stream(), options);
  sender.start();
  EXPECT_EQ(sender.next(static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_EOS)), "eos");
}

// GStreamer hands the end that was asked for to the source, whose thread waits in the sink.
class AskedToEnd : public SinkTest {
 protected:
  void start(const std::vector<std::string>& more) {
    std::vector<std::string> words{"-e", "videotestsrc", "!",          "video/x-raw,width=64,height=48",
                                   "!",  "reelsink",     "sync=false", "stream=" + stream()};
    words.insert(words.end(), more.begin(), more.end());
    sender_.emplace(reel_test::ChildProcess::program("gst-launch-1.0", words));
    reel::Frame frame;
    ASSERT_TRUE(reel_test::wait_until([&] {
      (void)reader_.read(frame, 10);
      return reader_.connected();
    }));
    sender_->signal(SIGINT);
    ASSERT_NE(sender_->wait_for_line("EOS on shutdown"), "");
  }
  reel::ReadStatus end(int timeout_ms = 30'000) {
    reel::Frame frame;
    reel::ReadStatus status = reel::ReadStatus::frame;
    while (status == reel::ReadStatus::frame) status = reader_.read(frame, timeout_ms);
    return status;
  }
  std::optional<reel_test::ChildProcess> sender_;
  reel::FrameReader reader_{stream(), Watcher::lossless()};
};

TEST_F(AskedToEnd, ItEndsItsStreamWhenItsReadersAreThere) {
  start({"wait-for-readers=2"});
  const Watcher second(stream());
  EXPECT_EQ(end(), reel::ReadStatus::ended);
  EXPECT_TRUE(sender_->wait().ok()) << sender_->errors();
}

TEST_F(AskedToEnd, ItEndsItsStreamAfterStartTimeoutThoughTheReaderThatIsNamedIsMissing) {
  start({"wait-for=eye", "start-timeout=2000000000"});
  EXPECT_EQ(end(), reel::ReadStatus::ended);
  EXPECT_TRUE(sender_->wait().ok()) << sender_->errors();
}

TEST_F(AskedToEnd, AskedAgainTheProcessIsGone) {
  start({"wait-for-readers=2"});
  sender_->signal(SIGINT);
  const reel_test::ExitStatus status = sender_->wait();
  EXPECT_FALSE(status.timed_out);
  EXPECT_EQ(end(100), reel::ReadStatus::empty) << "a disconnect, after which the next writer may come";
  const reel::FrameWriter next(stream());  // takes over what is left of it
}

// The ring grows for readers that would not fit, before the first frame and while it plays.
TEST_F(WaitingForReaders, MoreReadersThanTheSlotsAllowFindRoom) {
  Sender sender(pictures(200) + sink("wait-for-readers=6 slots=6"));
  reel::ReaderOptions many = Watcher::lossless();
  many.max_pins = 8;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 6; ++i) watchers.push_back(std::make_unique<Watcher>(stream(), many));
  sender.start();
  guint clients = 0;
  ASSERT_TRUE(reel_test::wait_until([&] {
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    return clients == 6 || sender.stat("published") > 0;
  })) << clients
      << " readers: " << sender.stats();
  EXPECT_EQ(sender.end(), "eos");
  const Pictures expected = plain(pictures(200));
  for (const auto& watcher : watchers) {
    EXPECT_EQ(watcher->end(), "ended");
    EXPECT_EQ(watcher->pictures(), expected);
  }
  EXPECT_EQ(sender.stat("refused"), 0u) << sender.stats();
}

TEST_F(WaitingForReaders, ReadersThatNeedMoreSlotsJoinWhileItPlays) {
  Sender sender(pictures(1000) + sink("wait-for-readers=1 slots=4"));
  Watcher first(stream(), Watcher::lossless(), true);
  sender.start();
  ASSERT_TRUE(first.wait_for(1));
  reel::ReaderOptions many = Watcher::lossless();
  many.max_pins = 12;
  Watcher second(stream(), many);
  first.resume();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(first.end(), "ended");
  EXPECT_EQ(second.end(), "ended");
  EXPECT_EQ(first.pictures(), plain(pictures(1000)));
  EXPECT_FALSE(second.pictures().empty());
  EXPECT_EQ(sender.stat("refused"), 0u) << sender.stats();
}

}  // namespace
}  // namespace gstreamer_test
