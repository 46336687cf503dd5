// reelsink and reelsrc in two processes.
#include "pipelines.hpp"

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <unistd.h>

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Elements : public ::testing::Test {
 protected:
  void SetUp() override { REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"})); }
  [[nodiscard]] const std::string& stream() const { return stream_; }
  [[nodiscard]] std::string sink(const std::string& more = {}) const {
    return " ! reelsink stream=" + stream() + " " + more;
  }
  [[nodiscard]] std::string src(const std::string& more = {}) const {
    return "reelsrc name=source stream=" + stream() + " " + more;
  }
  static std::string pictures(const std::string& more = {}) {
    return "videotestsrc " + more + " ! video/x-raw,format=NV12,width=320,height=240,framerate=100/1";
  }
  reel_test::TempRuntimeDir runtime_;
  const std::string stream_ = reel_test::unique_name("gst");
};

void expect_all(Receiver& receiver, std::size_t count) {
  EXPECT_EQ(receiver.wait_for_end(), "eos");
  const std::vector<Seen> seen = receiver.seen();
  ASSERT_EQ(seen.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(seen[i].offset, i) << "videotestsrc numbers its pictures from 0";
    EXPECT_EQ(seen[i].bytes, 320u * 240 * 3 / 2);
  }
}

TEST_F(Elements, EveryBufferArrivesAndTheEndWhenTheSenderIsFirst) {
  ChildProcess sender = launch(pictures("num-buffers=200") + sink("sync=false wait-for-readers=1"));
  ASSERT_TRUE(reel_test::wait_until([&] { return !runtime_.entries().empty() || !sender.running(); }));
  Receiver receiver(src("policy=lossless"));
  expect_all(receiver, 200);
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
}

TEST_F(Elements, EveryBufferArrivesAndTheEndWhenTheReceiverIsFirst) {
  Receiver receiver(src("policy=lossless"));
  ChildProcess sender = launch(pictures("num-buffers=200") + sink("sync=false wait-for-readers=1"));
  expect_all(receiver, 200);
  EXPECT_THAT(receiver.caps(),
              AllOf(StartsWith("video/x-raw"), HasSubstr("NV12"), HasSubstr("width=(int)320")));
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
}

TEST_F(Elements, ReceivedBuffersLieInTheReadersMappingAndCannotBeWritten) {
  Receiver receiver(src("policy=lossless"));
  ChildProcess sender = launch(pictures("num-buffers=50") + sink("sync=false wait-for-readers=1"));
  EXPECT_EQ(receiver.wait_for_end(), "eos");
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  ASSERT_EQ(receiver.seen().size(), 50u);
  for (const Seen& one : receiver.seen()) {
    EXPECT_THAT(one.mapping, AllOf(HasSubstr(" r--s "), HasSubstr("reel." + stream() + ".payload")));
    EXPECT_FALSE(one.writable);
  }
}

TEST_F(Elements, SoundAndCompressedPicturesTravelAsTheyAre) {
  {
    Receiver receiver(src("policy=lossless"));
    ChildProcess sender = launch(
        "audiotestsrc num-buffers=40 ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! reelsink sync=false "
        "wait-for-readers=1 stream=" +
        stream());
    EXPECT_EQ(receiver.wait_for_end(), "eos");
    EXPECT_TRUE(sender.wait().ok()) << sender.errors();
    EXPECT_EQ(receiver.seen().size(), 40u);
    EXPECT_THAT(receiver.caps(), AllOf(StartsWith("audio/x-raw"), HasSubstr("rate=(int)48000")));
  }
  Receiver receiver(src("policy=lossless"));
  ChildProcess sender =
      launch(pictures("num-buffers=20") + " ! jpegenc" + sink("sync=false wait-for-readers=1"));
  EXPECT_EQ(receiver.wait_for_end(), "eos");
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  EXPECT_EQ(receiver.seen().size(), 20u);
  EXPECT_THAT(receiver.caps(), StartsWith("image/jpeg"));
}

TEST_F(Elements, AWriterThatWasKilledIsFollowedByTheNextWithDiscont) {
  runtime_.allow_leftovers();
  Receiver receiver(src());
  ChildProcess first = launch(pictures("is-live=true") + sink());
  ASSERT_TRUE(receiver.wait_for(10)) << first.errors();
  first.signal(SIGKILL);
  (void)first.wait();
  const std::size_t before = receiver.seen().size();
  ChildProcess second = launch(pictures("is-live=true") + sink());
  ASSERT_TRUE(receiver.wait_for(before + 20)) << second.errors();
  receiver.stop();
  const std::vector<Seen> seen = receiver.seen();
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_GE(seen[i].pts, seen[i - 1].pts) << "buffer " << i;
  EXPECT_TRUE(seen.front().discont);
  EXPECT_TRUE(std::any_of(seen.begin() + static_cast<std::ptrdiff_t>(before), seen.end(),
                          [](const Seen& one) { return one.discont; }));
}

TEST_F(Elements, AWriterThatGoesWithoutAnEndIsEndOfStreamWhereThatWasAsked) {
  runtime_.allow_leftovers();
  Receiver receiver(src("on-disconnect=eos"));
  ChildProcess sender = launch(pictures("is-live=true") + sink());
  ASSERT_TRUE(receiver.wait_for(3)) << sender.errors();
  sender.signal(SIGKILL);
  EXPECT_EQ(receiver.wait_for_end(), "eos");
}

TEST_F(Elements, ASourceThatWaitsForItsWriterStopsAtOnce) {
  Receiver receiver(src());
  receiver.stop();
  EXPECT_TRUE(receiver.seen().empty());
}

TEST_F(Elements, WithoutReconnectAMissingWriterIsAnErrorThatNamesTheStream) {
  Receiver receiver(src("reconnect=false"));
  EXPECT_THAT(receiver.wait_for_end(), AllOf(StartsWith("error: "), HasSubstr(stream())));
}

TEST_F(Elements, ANameInUseIsAnErrorThatNamesItsWriter) {
  runtime_.allow_leftovers();  // the first is killed in the end
  ChildProcess first = launch(pictures("is-live=true") + sink());
  Receiver receiver(src());
  ASSERT_TRUE(receiver.wait_for(1)) << first.errors();
  ChildProcess second = launch(pictures("num-buffers=3") + sink());
  EXPECT_FALSE(second.wait().ok());
  EXPECT_THAT(second.errors(), HasSubstr("already written by process " + std::to_string(first.pid())));
}

}  // namespace
}  // namespace gstreamer_test
