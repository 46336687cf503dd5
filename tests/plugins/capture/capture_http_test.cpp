// http://: a clip on a server is played as a file is; a stream without end is a camera.
#include "camera_fixture.hpp"
#include "capture_fixture.hpp"
#include "file_server.hpp"
#include "jpeg_camera.hpp"

#include <reel_test/expect_error.hpp>

namespace capture_test {
namespace {

using namespace reel;

using CaptureHttp = CaptureTest;

TEST_F(CaptureHttp, AClipOnAServerIsPlayedWhole) {
  static_cast<void>(media_.make("clip.avi", small_picture(20) + " ! jpegenc ! avimux"));
  const FileServer server(media_.path());
  start({{"uri", server.uri("clip.avi")}, {"realtime", "false"}}, true, false);
  EXPECT_EQ(read_all_of(video_).size(), 20U);
  stage_->join();
}

TEST_F(CaptureHttp, AClipThatIsNotThereIsAnError) {
  const FileServer server(media_.path());
  start({{"uri", server.uri("nowhere.avi")}, {"realtime", "false"}}, true, false);
  reel_test::expect_error(ErrorCode::bad_config, {"nowhere.avi", "nothing is there", "uri"},
                          [&] { stage_->join(); });
}

TEST_F(CaptureHttp, AServerThatIsNotThereIsAnErrorThatARestartMayCure) {
  FileServer server(media_.path());
  server.stop();
  start({{"uri", server.uri("clip.avi")}, {"realtime", "false"}}, true, false);
  reel_test::expect_error(ErrorCode::io, {"clip.avi", "cannot be reached"}, [&] { stage_->join(); });
}

using CaptureHttpCamera = CameraTest;

TEST_F(CaptureHttpCamera, IsConnectedToAgainWhenItHangsUp) {
  const JpegCamera camera(reel_test::read_file(files_.make("one.jpg", small_picture(1) + " ! jpegenc")), 30);
  start({{"uri", camera.uri()}, {"live", "true"}}, {"video"});
  FrameReader video = reader("video");
  std::int64_t last_ns = -1;
  for (int i = 0; i < 3; ++i) {
    const Frame frame = i == 0 ? next(video) : next_discont(video);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame.format().video()->width, 160U);
    EXPECT_GT(frame.info().pts_ns, last_ns);
    last_ns = frame.info().pts_ns;
  }
  EXPECT_EQ(video.stats().connects, 1U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureHttpCamera, PassesItsPicturesThrough) {
  const std::string picture = reel_test::read_file(files_.make("one.jpg", small_picture(1) + " ! jpegenc"));
  const JpegCamera camera(picture, 1'000);
  start({{"uri", camera.uri()}, {"live", "true"}}, {"video-encoded"});
  FrameReader video = reader("video-encoded");
  const Frame frame = next(video);
  ASSERT_NE(frame.format().encoded(), nullptr) << frame.format().caps();
  EXPECT_EQ(frame.format().encoded()->codec, Codec::jpeg);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(frame.data().data()), frame.data().size()), picture);
  stage_->stop();
  stage_->join();
}

}  // namespace
}  // namespace capture_test
