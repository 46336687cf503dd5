// rtsp://: a camera on loopback that comes, goes, hangs and comes back as another.
#include "camera_fixture.hpp"
#include "rtsp_camera.hpp"

#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <sys/socket.h>

#include <reel/base/clock.hpp>
#include <reel/base/unique_fd.hpp>

namespace capture_test {
namespace {

using namespace reel;

using CaptureRtsp = CameraTest;

TEST_F(CaptureRtsp, PicturesComeWithTimesOfTheirArrival) {
  const RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video"});
  FrameReader video = reader("video");
  std::int64_t last_ns = -1;
  for (int i = 0; i < 20; ++i) {
    const Frame frame = next(video);
    ASSERT_TRUE(frame);
    ASSERT_NE(frame.format().video(), nullptr);
    EXPECT_EQ(frame.format().video()->width, 160U);
    EXPECT_EQ(frame.format().video()->height, 120U);
    EXPECT_GT(frame.info().pts_ns, last_ns);
    last_ns = frame.info().pts_ns;
    EXPECT_LE(frame.info().capture_ns, frame.publish_ns());
    ASSERT_NE(frame.segment(), nullptr);
    EXPECT_GE(frame.segment()->monotonic_offset_ns + frame.info().pts_ns, frame.info().capture_ns);
  }
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, PicturesAndSoundComeByUdpToo) {
  CameraSetup setup;
  setup.sound = true;
  const RtspCamera camera(setup);
  start({{"uri", camera.uri()}, {"transport", "udp"}, {"latency", "100ms"}}, {"video", "audio"});
  FrameReader video = reader("video");
  FrameReader audio = reader("audio");
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(next(video).format().video(), nullptr);
    EXPECT_NE(next(audio).format().audio(), nullptr);
  }
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, ByUdpTooTheCameraIsConnectedToAnew) {
  RtspCamera camera;
  start({{"uri", camera.uri()}, {"transport", "udp"}, {"stall_timeout", "2s"}}, {"video"});
  FrameReader video = reader("video");
  ASSERT_TRUE(next(video));
  camera.stop();
  camera.start();
  EXPECT_TRUE(next_discont(video));
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, StartsWithoutItsCamera) {
  RtspCamera camera;
  camera.stop();
  start({{"uri", camera.uri()}}, {"video"});
  FrameReader video = reader("video");
  Frame frame;
  EXPECT_EQ(to_string(video.read(frame, 1'500)), to_string(ReadStatus::empty));
  EXPECT_FALSE(stage_->ended());
  camera.start();
  EXPECT_TRUE(next(video));
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, EndsWhileItsCameraIsAway) {
  RtspCamera camera;
  camera.stop();
  start({{"uri", camera.uri()}, {"reconnect_delay", "1h"}, {"reconnect_delay_max", "1h"}}, {"video"});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stage_->drain();
  stage_->join();
}

TEST_F(CaptureRtsp, ReadersKeepTheirStreamsWhileTheCameraComesAndGoes) {
  RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video"});
  FrameReader video = reader("video");
  std::int64_t last_ns = next(video).info().pts_ns;
  for (int i = 0; i < 3; ++i) {
    camera.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    camera.start();
    const Frame frame = next_discont(video);
    ASSERT_TRUE(frame);
    EXPECT_GT(frame.info().pts_ns, last_ns + 300'000'000);  // its time line goes on
    last_ns = frame.info().pts_ns;
  }
  EXPECT_EQ(video.stats().connects, 1U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, PicturesOfAnotherSizeComeInTheSameStream) {
  RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video"});
  FrameReader video = reader("video");
  EXPECT_EQ(next(video).format().video()->width, 160U);
  CameraSetup larger;
  larger.width = 640;
  larger.height = 480;
  camera.stop();
  camera.start(larger);
  const Frame frame = next_discont(video);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame.format().video()->width, 640U);
  EXPECT_EQ(frame.format().video()->height, 480U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, ACameraThatHangsIsConnectedToAnew) {
  RtspCamera camera;
  start({{"uri", camera.uri()}, {"stall_timeout", "1s"}}, {"video"});
  FrameReader video = reader("video");
  ASSERT_TRUE(next(video));
  camera.hang();
  std::this_thread::sleep_for(std::chrono::milliseconds(2'500));
  camera.go_on();
  EXPECT_TRUE(next_discont(video));
  stage_->stop();
  stage_->join();
}

// Listens, lets everybody in, and never says a word.
class SilentServer {
 public:
  SilentServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::string uri() const { return "rtsp://127.0.0.1:" + std::to_string(port_) + "/camera"; }
  /// Waits for the next connection; false when the watchdog passed.
  [[nodiscard]] bool accept_one() {
    timeval patience{60, 0};
    setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    accepted_.emplace_back(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return static_cast<bool>(accepted_.back());
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> accepted_;
  int port_ = 0;
};

TEST_F(CaptureRtsp, AServerThatSaysNothingIsTriedAgain) {
  SilentServer server;
  start({{"uri", server.uri()}, {"stall_timeout", "500ms"}}, {"video"});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(server.accept_one());
  EXPECT_FALSE(stage_->ended());
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, WithoutReconnectTheCamerasEndIsTheStages) {
  RtspCamera camera;
  start({{"uri", camera.uri()}, {"reconnect", "false"}}, {"video"});
  FrameReader video = reader("video");
  ASSERT_TRUE(next(video));
  camera.stop();
  EXPECT_TRUE(reel_test::wait_until([&] {
    Frame frame;
    static_cast<void>(video.try_read(frame));
    return stage_->ended();
  }));
  try {
    stage_->join();  // it may have said good-bye
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io) << error.what();
  }
}

TEST_F(CaptureRtsp, ACameraWithoutSoundIsAnErrorWhereSoundIsConnected) {
  const RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video", "audio"});
  reel_test::expect_error(ErrorCode::bad_config, {"no sound", "'audio'", "'out'"}, [&] { stage_->join(); });
}

TEST_F(CaptureRtsp, ACameraWithoutSoundIsWatchedWhereSoundIsOptional) {
  const RtspCamera camera;
  start({{"uri", camera.uri()}, {"audio", "optional"}}, {"video", "audio"});
  FrameReader video = reader("video");
  EXPECT_TRUE(next(video));
  EXPECT_TRUE(next(video));
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtsp, AReaderThatDoesNotReadHoldsNobodyUp) {
  const RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video"});
  FrameReader slow = reader("video", Policy::lossless);
  FrameReader video = reader("video");
  const Frame held = next(slow);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(next(video));
  stage_->stop();
  stage_->join();
}

}  // namespace
}  // namespace capture_test
