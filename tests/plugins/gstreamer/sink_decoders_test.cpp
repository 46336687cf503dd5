// Decoders write into the ring and go on reading what they wrote: right pictures, whatever they hold.
#include "sender.hpp"

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

class Decoders : public SinkTest {
 protected:
  void SetUp() override {
    for (const char* name : {"avdec_h264", "x264enc", "qtdemux"}) {
      GstElementFactory* factory = gst_element_factory_find(name);
      REEL_NEEDS(factory != nullptr ? "" : std::string("no ") + name);
      gst_object_unref(factory);
    }
  }
  /// 16 reference pictures, one key frame.
  static const std::string& many_references() {
    static const reel_test::ScratchDir scratch;
    static const std::string file = [] {
      std::string path = scratch.file("references.mkv");
      const auto made = launch(
                            "videotestsrc num-buffers=120 pattern=ball animation-mode=frames ! "
                            "video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! x264enc "
                            "option-string=ref=16:bframes=3:b-pyramid=2 key-int-max=250 ! "
                            "matroskamux ! filesink location=" +
                            path)
                            .wait();
      EXPECT_TRUE(made.ok());
      return path;
    }();
    return file;
  }
  static std::string decoded(const std::string& more = {}) {
    return "filesrc location=" + many_references() + " ! matroskademux ! h264parse ! avdec_h264 " + more;
  }
};

TEST_F(Decoders, AClipIsDecodedIntoTheRingButForWhatWasInFlightAtAGrowth) {
  const std::string line =
      std::string("filesrc location=") + REEL_TEST_CLIP + " ! qtdemux ! h264parse ! avdec_h264";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  const Pictures expected = plain(line);
  EXPECT_EQ(watcher.pictures(), expected);
  EXPECT_EQ(sender.stat("heap-buffers"), 0u) << sender.stats();
  EXPECT_EQ(sender.stat("in-place") + sender.stat("copied"), expected.size()) << sender.stats();
  EXPECT_LE(sender.stat("copied"), 32u) << sender.stats();
}

TEST_F(Decoders, SixteenReferencePicturesFitByGrowing) {
  const Pictures expected = plain(decoded());
  ASSERT_EQ(expected.size(), 120u);
  for (const char* between : {"", "! queue ", "! queue max-size-buffers=3 "}) {
    Sender sender(decoded(between) + sink("wait-for-readers=1"));
    Watcher watcher(stream());
    sender.start();
    EXPECT_EQ(sender.end(), "eos");
    EXPECT_EQ(watcher.end(), "ended");
    EXPECT_EQ(watcher.pictures(), expected) << between;
    EXPECT_EQ(sender.stat("heap-buffers"), 0u) << sender.stats();
    EXPECT_GT(sender.stat("growths"), 0u) << sender.stats();
    EXPECT_GT(sender.stat("in-place"), 60u) << sender.stats();
  }
}

TEST_F(Decoders, SixteenReferencePicturesComeFromTheHeapWhereMaxBytesIsTooSmall) {
  const Pictures expected = plain(decoded());
  // 16 slots fit, not one more.
  for (const char* between : {"", "! queue ", "! queue max-size-buffers=3 "}) {
    Sender sender(decoded(between) + sink("wait-for-readers=1 max-bytes=3000000"));
    Watcher watcher(stream());
    sender.start();
    EXPECT_EQ(sender.end(), "eos");
    EXPECT_EQ(watcher.end(), "ended");
    EXPECT_EQ(watcher.pictures(), expected) << between;
    EXPECT_GT(sender.stat("heap-buffers"), 0u) << sender.stats();
    EXPECT_EQ(sender.stat("in-place") + sender.stat("copied"), 120u) << sender.stats();
    EXPECT_GE(sender.stat("copied"), sender.stat("heap-buffers") / 2) << sender.stats();
  }
}

TEST_F(Decoders, TwoConsumersOfADecodedClipSeeTheSamePictures) {
  const std::string line = decoded();
  Sender sender(line + sink("wait-for-readers=2"));
  Watcher first(stream());
  auto second = start_watching(stream());
  sender.start();
  EXPECT_EQ(sender.end(), "eos");
  const Pictures expected = plain(line);
  EXPECT_EQ(first.end(), "ended");
  EXPECT_EQ(first.pictures(), expected);
  EXPECT_EQ(watched(second, expected.size()), hash_of(expected));
}

}  // namespace
}  // namespace gstreamer_test
