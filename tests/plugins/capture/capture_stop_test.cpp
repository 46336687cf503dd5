// Every way to end a capture stage ends it, whatever its outputs are waiting for; nothing of GStreamer's is
// left.
#include "capture_fixture.hpp"

#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>

namespace capture_test {
namespace {

using namespace reel;

using CaptureStop = CaptureTest;

TEST_F(CaptureStop, DrainEndsAnEndlessSourceAndItsStreams) {
  start({{"uri", "test://ball?width=64&height=64"}, {"realtime", "true"}}, true, true);
  EXPECT_TRUE(next(video_));
  EXPECT_TRUE(next(audio_));
  stage_->drain();
  static_cast<void>(read_all_of(video_));
  static_cast<void>(read_all_of(audio_));
  stage_->join();
}

TEST_F(CaptureStop, StopEndsAStageWhoseReadersDoNotRead) {
  start({{"uri", "test://ball?width=64&height=64"}, {"realtime", "false"}}, true, true);
  EXPECT_TRUE(next(video_));
  EXPECT_TRUE(next(audio_));
  // Both outputs have filled their slots and wait for readers that never come back.
  ASSERT_TRUE(reel_test::wait_until([&] {
    return stage_->page().outputs[0].waits.load() > 0 && stage_->page().outputs[1].waits.load() > 0;
  }));
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureStop, DrainEndsAStageWhoseReadersDoNotRead) {
  start({{"uri", "test://ball?width=64&height=64"}, {"realtime", "false"}}, true, false);
  EXPECT_TRUE(next(video_));
  ASSERT_TRUE(reel_test::wait_until([&] { return stage_->page().outputs[0].waits.load() > 0; }));
  stage_->drain();
  static_cast<void>(read_all_of(video_));
  stage_->join();
}

TEST_F(CaptureStop, StopEndsAStageThatWaitsForItsReaders) {
  StageSetup setup;
  setup.name = "camera";
  setup.plugin = "capture";
  setup.options = reel_test::options({{"uri", "test://ball?width=64&height=64"}});
  WriterOptions writer;
  writer.wait_for = {"nobody"};
  writer.start_timeout_ms = 600'000;
  setup.outputs = {{"video", video_stream_, writer}};
  stage_.emplace(setup);
  ASSERT_TRUE(reel_test::wait_until([&] { return !directory_.entries().empty(); }));
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureStop, PassesOfALoopLeaveNoThreadsAndDescriptorsBehind) {
  const std::string path = media_.make("short.avi", small_picture(3) + " ! jpegenc ! avimux");
  start({{"uri", path}, {"realtime", "false"}, {"loop", "true"}}, true, false);
  const auto read_passes = [&](int passes) {
    for (int i = 0; i < 3 * passes; ++i) ASSERT_TRUE(next(video_));
  };
  read_passes(10);
  const std::size_t descriptors = reel_test::open_descriptors();
  const std::size_t threads = reel_test::thread_count();
  const std::size_t memory = reel_test::resident_bytes();
  read_passes(50);
  // A pass that is just being opened has a few of each.
  EXPECT_LE(reel_test::open_descriptors(), descriptors + 8);
  EXPECT_LE(reel_test::thread_count(), threads + 8);
  EXPECT_LE(reel_test::resident_bytes(), memory + (std::size_t{16} << 20));
  stage_->stop();
  stage_->join();
}

}  // namespace
}  // namespace capture_test
