// A camera that is switched off for ten seconds, twenty times, and one that hangs up a thousand times: their
// readers keep their streams, and nothing is left behind by any connection.
#include "camera_fixture.hpp"
#include "jpeg_camera.hpp"
#include "rtsp_camera.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <reel_test/process_facts.hpp>

namespace capture_test {
namespace {

using namespace reel;
using std::chrono::milliseconds;

struct Use {
  std::size_t descriptors, threads, memory_bytes;
};
Use now() {
  return {reel_test::open_descriptors(), reel_test::thread_count(), reel_test::resident_bytes()};
}

class CaptureTwenty : public CameraTest {
 protected:
  void run(int times, int settled_after, milliseconds away) {
    RtspCamera camera;
    start({{"uri", camera.uri()}}, {"video"});
    FrameReader video = reader("video");
    std::int64_t last_ns = next(video).info().pts_ns;
    Use settled{};
    for (int i = 1; i <= times; ++i) {
      camera.stop();
      std::this_thread::sleep_for(away);
      camera.start();
      const Frame frame = next_discont(video);
      ASSERT_TRUE(frame);
      EXPECT_GE(frame.info().pts_ns, last_ns + milliseconds(away).count() * 1'000'000);
      last_ns = frame.info().pts_ns;
      for (int more = 0; more < 10; ++more) ASSERT_TRUE(next(video));
      if (i == settled_after) settled = now();
    }
    const Use end = now();
    EXPECT_EQ(video.stats().connects, 1U);
    EXPECT_EQ(stage_->page().outputs[0].demoted.load(), 0U);
    EXPECT_LE(end.descriptors, settled.descriptors + 2);
    EXPECT_LE(end.threads, settled.threads + 2);
    EXPECT_LE(end.memory_bytes, settled.memory_bytes + (std::size_t{8} << 20));
    RecordProperty("descriptors",
                   std::to_string(settled.descriptors) + " to " + std::to_string(end.descriptors));
    RecordProperty("memory",
                   std::to_string(settled.memory_bytes) + " to " + std::to_string(end.memory_bytes));
    printf("descriptors %zu to %zu, threads %zu to %zu, memory %zu to %zu kB\n", settled.descriptors,
           end.descriptors, settled.threads, end.threads, settled.memory_bytes / 1024,
           end.memory_bytes / 1024);
    stage_->stop();
    stage_->join();
  }
};

TEST_F(CaptureTwenty, TimesOffForAMoment) {
  run(20, 5, milliseconds(300));
}

TEST_F(CaptureTwenty, TimesOffForTenSeconds) {
  run(20, 5, milliseconds(10'000));
}

// The same for connections that are refused, and for those that are made and broken off.
class CaptureThousand : public CameraTest {
 protected:
  static constexpr int kSettledAfter = 200;
  static void expect_flat(const Use& before) {
    const Use after = now();
    printf("descriptors %zu to %zu, threads %zu to %zu, memory %zu to %zu kB\n", before.descriptors,
           after.descriptors, before.threads, after.threads, before.memory_bytes / 1024,
           after.memory_bytes / 1024);
    EXPECT_LE(after.descriptors, before.descriptors + 16);  // a connection under way has some
    EXPECT_LE(after.threads, before.threads + 8);
    EXPECT_LE(after.memory_bytes, before.memory_bytes + (std::size_t{16} << 20));
  }
};

TEST_F(CaptureThousand, TimesAPictureAndAnEnd) {
  const std::string picture = reel_test::read_file(files_.make("one.jpg", small_picture(1) + " ! jpegenc"));
  const JpegCamera camera(picture, 2);
  start({{"uri", camera.uri()}, {"live", "true"}, {"reconnect_delay", "0"}, {"reconnect_delay_max", "1ms"}},
        {"video"});
  FrameReader video = reader("video");
  Use before{};
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(next_discont(video));
    if (i == kSettledAfter) before = now();
  }
  expect_flat(before);
  EXPECT_EQ(video.stats().connects, 1U);
  stage_->stop();
  stage_->join();
}

}  // namespace
}  // namespace capture_test
