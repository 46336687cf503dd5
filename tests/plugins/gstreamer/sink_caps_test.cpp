// Caps that change while a stream runs: no frame is lost, none is read by the caps of another.
#include "sender.hpp"

#include <gmock/gmock.h>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CapsChange : public SinkTest {
 protected:
  static std::string part(int count, const std::string& caps, const std::string& more = {}) {
    return " " + pictures(count, caps) + " " + more + " ! c.";
  }
  /// 640x480, then 1920x1080, then 640x480.
  static std::string line(const std::string& more = {}) {
    const std::string small = "format=I420,width=640,height=480";
    return "concat name=c" + part(40, small, more) + part(40, "format=I420,width=1920,height=1080", more) +
           part(40, small, more) + " c.";
  }
};

TEST_F(CapsChange, NoFrameIsLostOrGarbledAtTwoConsumers) {
  const Pictures expected = plain(line());
  ASSERT_EQ(expected.size(), 120u);
  for (const std::string between :
       {"", " ! queue", " ! queue max-size-buffers=2", " ! identity drop-allocation=true"}) {
    Sender sender(line() + between + sink("wait-for-readers=2"));
    Watcher here(stream());
    auto there = start_watching(stream());
    sender.start();
    EXPECT_EQ(sender.end(), "eos") << between;
    EXPECT_EQ(here.end(), "ended") << between;
    EXPECT_EQ(here.pictures(), expected) << between;
    EXPECT_THAT(here.caps(), ElementsAre(HasSubstr("width=(int)640"), HasSubstr("width=(int)1920"),
                                         HasSubstr("width=(int)640")));
    EXPECT_EQ(watched(there, expected.size()), hash_of(expected)) << between << sender.stats();
  }
}

TEST_F(CapsChange, NoFrameIsLostOrGarbledBetweenProcesses) {
  const Pictures expected = plain(line());
  for (const std::string between : {"", " ! queue"}) {
    auto first = start_watching(stream());
    auto second = start_watching(stream());
    auto sender = launch(line() + between + sink("wait-for-readers=2"));
    EXPECT_TRUE(sender.wait().ok()) << sender.errors();
    EXPECT_EQ(watched(first, expected.size()), hash_of(expected)) << between;
    EXPECT_EQ(watched(second, expected.size()), hash_of(expected)) << between;
  }
}

// Through an element that sets a pool of its own up anew for each caps.
TEST_F(CapsChange, ConvertersBeforeTheSinkGoOnWritingIntoTheRing) {
  const std::string converted = line() + " ! videoconvert ! video/x-raw,format=NV12";
  Sender sender(converted + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(converted));
  EXPECT_GT(sender.stat("in-place"), 100u) << sender.stats();
}

// Video, then bytes that are not, under one name.
TEST_F(CapsChange, EvenTheKindOfMediaMayChange) {
  const std::string mixed = "concat name=c" + part(20, "format=I420,width=64,height=48") +
                            part(20, "format=I420,width=64,height=48", "! jpegenc") +
                            part(20, "format=ARGB64,width=64,height=48") + " c.";
  Sender sender(mixed + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(mixed));
  EXPECT_EQ(watcher.caps().size(), 3u);
}

}  // namespace
}  // namespace gstreamer_test
