// Devices of this machine: a screen that a test makes for itself; cameras and microphones as far as none is
// needed.
#include "camera_fixture.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <reel_test/expect_error.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/virtual_screen.hpp>
#include <unistd.h>

namespace capture_test {
namespace {

using namespace reel;

class CaptureScreen : public CameraTest {
 protected:
  void SetUp() override {
    REEL_NEEDS(reel_test::missing_programs({"Xvfb", "xsetroot"}));
    screen_.emplace(320, 240);
    ASSERT_FALSE(screen_->name().empty());
  }
  void paint(const std::string& colour) const {
    ASSERT_EQ(std::system(("xsetroot -display " + screen_->name() + " -solid " + colour).c_str()), 0);
  }
  // Blue, green, red of a pixel in the middle.
  static std::array<int, 3> middle_of(const Frame& frame) {
    const ConstPlaneView plane = frame.plane(0);
    const std::byte* pixel = plane.data + std::size_t{plane.rows / 2} * plane.stride_bytes +
                             std::size_t{frame.format().video()->width / 2} * 4;
    return {static_cast<int>(pixel[0]), static_cast<int>(pixel[1]), static_cast<int>(pixel[2])};
  }
  static void wait_for(FrameReader& video, const std::array<int, 3>& colour) {
    EXPECT_TRUE(reel_test::wait_until([&] {
      const Frame frame = next(video);
      return !frame || middle_of(frame) == colour;
    }));
  }
  std::optional<reel_test::VirtualScreen> screen_;
};

TEST_F(CaptureScreen, ShowsWhatIsOnIt) {
  start({{"uri", "screen://" + screen_->name()}, {"fps", "20"}, {"format", "BGRx"}, {"pointer", "false"}},
        {"video"});
  FrameReader video = reader("video");
  const Frame frame = next(video);
  ASSERT_TRUE(frame);
  EXPECT_EQ(*frame.format().video(), (VideoFormat{PixelFormat::BGRx, 320, 240, {20, 1}}));
  // Painted while somebody is connected: a server that nobody uses forgets what was on it.
  paint("rgb:ff/00/00");
  wait_for(video, {0, 0, 255});
  paint("rgb:00/00/ff");
  wait_for(video, {255, 0, 0});
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureScreen, ShowsAPartOfIt) {
  start({{"uri", "screen://" + screen_->name()}, {"region", "100x50+20+10"}}, {"video"});
  FrameReader video = reader("video");
  const Frame frame = next(video);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame.format().video()->width, 100U);
  EXPECT_EQ(frame.format().video()->height, 50U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureScreen, ThatIsNotThereIsWaitedFor) {
  screen_->end();
  start({{"uri", "screen://" + screen_->name()}}, {"video"});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(stage_->ended());
  stage_->drain();
  stage_->join();
}

using CaptureDevice = CameraTest;

TEST_F(CaptureDevice, ThatIsNotThereIsWaitedFor) {
  for (const char* uri : {"v4l2:///dev/video_nowhere", "alsa://hw:77", "pulse://nobody"}) {
    start({{"uri", uri}}, {uri[0] == 'v' ? "video" : "audio"});
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    EXPECT_FALSE(stage_->ended()) << uri;
    stage_->drain();
    stage_->join();
    stage_.reset();
  }
}

TEST_F(CaptureDevice, ThatIsNotThereIsAnErrorWithoutReconnect) {
  start({{"uri", "v4l2:///dev/video_nowhere"}, {"reconnect", "false"}}, {"video"});
  reel_test::expect_error(ErrorCode::not_found, {"/dev/video_nowhere", "`reel doctor`"},
                          [&] { stage_->join(); });
}

TEST_F(CaptureDevice, MicrophoneThatIsNotThereSaysWhereToLook) {
  if (std::getenv("PULSE_SERVER") != nullptr || access("/dev/snd", F_OK) == 0)
    GTEST_SKIP() << "this machine may have a microphone";
  start({{"uri", "microphone://"}, {"reconnect", "false"}}, {"audio"});
  reel_test::expect_error(ErrorCode::not_found, {"microphone://", "pactl", "arecord -L"},
                          [&] { stage_->join(); });
}

TEST_F(CaptureDevice, OptionsOfOthersAreRefused) {
  start({{"uri", "microphone://hw:1"}}, {"audio"});
  reel_test::expect_error(ErrorCode::bad_config, {"alsa://hw:1", "pulse://hw:1"}, [&] { stage_->join(); });
  start({{"uri", "rtsp://host/x"}, {"controls", "gain=1"}}, {"video"});
  reel_test::expect_error(ErrorCode::bad_config, {"'controls'", "v4l2://", "rtsp://host/x"},
                          [&] { stage_->join(); });
  start({{"uri", "rtsp://host/x"}, {"loop", "true"}}, {"video"});
  reel_test::expect_error(ErrorCode::bad_config, {"'loop'", "camera"}, [&] { stage_->join(); });
}

}  // namespace
}  // namespace capture_test
