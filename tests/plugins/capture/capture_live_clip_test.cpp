// A clip sent as a camera would: nobody holds it up.
#include "capture_fixture.hpp"

#include <reel_test/expect_error.hpp>

namespace capture_test {
namespace {

using namespace reel;

class CaptureLiveClip : public CaptureTest {
 protected:
  /// Runs 50 pictures, 2 s of them, to their end beside a lossless reader that takes the first alone.
  void run(bool live_option, bool live_stream) {
    const std::string clip = media_.make("clip.avi", small_picture(50) + " ! jpegenc ! avimux");
    StageSetup setup;
    setup.name = "camera";
    setup.plugin = "capture";
    setup.options = reel_test::options({{"uri", clip}, {"live", live_option ? "true" : "false"}});
    WriterOptions writer;
    writer.live = live_stream;
    writer.slots = 24;                                       // room for what the decoder keeps
    writer.stall_timeout_ms = live_stream ? 30'000 : 1'000;  // else its end would wait for that reader
    if (!live_stream) writer.wait_for = {"slow"};
    setup.outputs = {{"video", video_stream_, writer}};
    stage_.emplace(setup);
    ReaderOptions slow;
    slow.name = "slow";
    slow.policy = Policy::lossless;
    video_.emplace(video_stream_, slow);
    const Frame first = next(video_);
    ASSERT_TRUE(first);
    const OutputCounters& counters = stage_->page().outputs[0];
    EXPECT_TRUE(reel_test::wait_until(
        [&] { return live_stream ? counters.frames.load() == 50U : counters.demoted.load() == 1U; }));
    video_.reset();  // its end would wait for those who have not read
    stage_->join();
  }
};

TEST_F(CaptureLiveClip, InALiveStreamLeavesASlowReaderBehind) {
  run(false, true);
  EXPECT_EQ(stage_->page().outputs[0].frames.load(), 50U);
  EXPECT_EQ(stage_->page().outputs[0].waits.load(), 0U);
  EXPECT_EQ(stage_->page().outputs[0].demoted.load(), 0U);
}

TEST_F(CaptureLiveClip, DropsWhatAWaitingStreamCannotTake) {
  run(true, false);
  EXPECT_LT(stage_->page().outputs[0].frames.load(), 50U);
  EXPECT_GT(stage_->page().outputs[0].waits.load(), 0U);
}

TEST_F(CaptureLiveClip, DropsNothingOfAnEncodedStream) {
  StageSetup setup;
  setup.name = "camera";
  setup.plugin = "capture";
  setup.options = reel_test::options({{"uri", "clip.mp4"}, {"live", "true"}});
  setup.outputs = {{"video-encoded", video_stream_, WriterOptions{}}};
  stage_.emplace(setup);
  reel_test::expect_error(ErrorCode::bad_config, {"live", "encoded", "live: true"}, [&] { stage_->join(); });
}

TEST_F(CaptureLiveClip, ComesWhenItIsDue) {
  const std::string clip = media_.make("clip.avi", small_picture(10) + " ! jpegenc ! avimux");
  start({{"uri", clip}, {"live", "true"}}, true, false);
  for (int i = 0; i < 10; ++i) {
    const Frame frame = next(video_);
    EXPECT_GE(frame.publish_ns(), frame.info().capture_ns);
    EXPECT_EQ(frame.info().pts_ns, i * 40'000'000);
  }
  stage_->join();
}

}  // namespace
}  // namespace capture_test
