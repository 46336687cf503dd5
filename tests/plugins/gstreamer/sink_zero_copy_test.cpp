// Buffers that the elements before reelsink fill lie in the ring, and are published where they lie.
#include "sender.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ZeroCopy : public SinkTest {
 protected:
  [[nodiscard]] std::string payload() const { return "memfd:reel." + stream() + ".payload"; }
  [[nodiscard]] std::size_t in_ring(const Sender& sender) const {
    const std::vector<Passed> all = sender.passed();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Passed& one) {
      return one.mapping.find(" rw-s ") != std::string::npos &&
             one.mapping.find(payload()) != std::string::npos;
    }));
  }
  void expect_no_copy(const Sender& sender, std::size_t count) {
    EXPECT_EQ(in_ring(sender), count);
    EXPECT_EQ(sender.stat("in-place"), count) << sender.stats();
    EXPECT_EQ(sender.stat("copied"), 0u) << sender.stats();
    EXPECT_EQ(sender.stat("heap-buffers"), 0u) << sender.stats();
  }
};

TEST_F(ZeroCopy, AThousandPicturesOfVideotestsrcLieInTheRingAndInTheReadersMapping) {
  Sender sender("videotestsrc num-buffers=1000 ! video/x-raw,format=NV12,width=1920,height=1080" +
                sink("wait-for-readers=1"));
  Receiver receiver("reelsrc name=source policy=lossless stream=" + stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(receiver.wait_for_end(), "eos");
  expect_no_copy(sender, 1000);
  const std::vector<Seen> seen = receiver.seen();
  ASSERT_EQ(seen.size(), 1000u);
  for (const Seen& one : seen) {
    ASSERT_THAT(one.mapping, AllOf(HasSubstr(" r--s "), HasSubstr(payload())));
    ASSERT_FALSE(one.writable);
  }
}

TEST_F(ZeroCopy, VideoconvertWritesIntoTheRing) {
  const std::string line =
      "videotestsrc num-buffers=100 pattern=ball animation-mode=frames ! "
      "video/x-raw,format=RGB,width=640,height=360 ! videoconvert ! "
      "video/x-raw,format=I420";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  expect_no_copy(sender, 100);
  EXPECT_EQ(watcher.pictures(), plain(line));
}

TEST_F(ZeroCopy, AudiotestsrcWritesIntoTheRingThroughTheAllocator) {
  const std::string line = "audiotestsrc num-buffers=100 ! audio/x-raw,format=S16LE,rate=48000,channels=2";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  expect_no_copy(sender, 100);
  EXPECT_EQ(watcher.pictures(), plain(line));
}

// Where an encoder asks for its memory is its own affair (jpegenc of 1.22 takes the heap's).
TEST_F(ZeroCopy, AnEncodersOutputIsPublishedInPlaceExactlyWhereItLiesInTheRing) {
  const std::string line = pictures(60) + " ! jpegenc";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(line));
  EXPECT_EQ(sender.stat("in-place") + sender.stat("copied"), 60u) << sender.stats();
  EXPECT_EQ(sender.stat("in-place"), in_ring(sender)) << sender.stats();
}

}  // namespace
}  // namespace gstreamer_test
