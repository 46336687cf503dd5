// What a recorder gets of a camera: from a key frame on, before and after the camera was away.
#include "camera_fixture.hpp"
#include "rtsp_camera.hpp"

#include <thread>

namespace capture_test {
namespace {

using namespace reel;

using CaptureRtspEncoded = CameraTest;

void expect_beginning(const Frame& frame) {
  ASSERT_TRUE(frame);
  ASSERT_NE(frame.format().encoded(), nullptr) << frame.format().caps();
  EXPECT_EQ(frame.format().encoded()->codec, Codec::h264);
  EXPECT_EQ(frame.format().encoded()->width, 160U);
  EXPECT_NE(frame.format().caps().find("avc"), std::string::npos);
  EXPECT_NE(frame.format().caps().find("au"), std::string::npos);
  ASSERT_FALSE(frame.format().codec_data().empty());
  EXPECT_EQ(frame.format().codec_data()[0], std::byte{1});  // avcC (ISO/IEC 14496-15 section 5.3.3.1)
  EXPECT_NE(frame.info().flags & kKeyFrame, 0U);
}

TEST_F(CaptureRtspEncoded, BeginsWithAKeyFrameEachTimeTheCameraComes) {
  RtspCamera camera;
  start({{"uri", camera.uri()}}, {"video-encoded"});
  FrameReader video = reader("video-encoded", Policy::queue, Start::keyframe);
  expect_beginning(next(video));
  int keys = 0;
  std::int64_t last_ns = -1;
  for (int i = 0; i < 30; ++i) {
    const Frame frame = next(video);
    ASSERT_TRUE(frame);
    EXPECT_GT(frame.info().pts_ns, last_ns);
    last_ns = frame.info().pts_ns;
    if ((frame.info().flags & kKeyFrame) != 0) ++keys;
  }
  EXPECT_GE(keys, 2);   // one of twelve
  EXPECT_LE(keys, 10);  // and not all
  camera.stop();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  camera.start();
  expect_beginning(next_discont(video));
  EXPECT_EQ(video.stats().connects, 1U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtspEncoded, ComesBesideTheDecodedPicturesAndSound) {
  CameraSetup setup;
  setup.sound = true;
  const RtspCamera camera(setup);
  start({{"uri", camera.uri()}}, {"video", "audio", "video-encoded", "audio-encoded"});
  FrameReader video = reader("video");
  FrameReader audio = reader("audio");
  FrameReader pictures = reader("video-encoded", Policy::queue, Start::keyframe);
  FrameReader sound = reader("audio-encoded");
  EXPECT_NE(next(video).format().video(), nullptr);
  EXPECT_NE(next(audio).format().audio(), nullptr);
  expect_beginning(next(pictures));
  const Frame unit = next(sound);
  ASSERT_TRUE(unit);
  ASSERT_NE(unit.format().encoded(), nullptr) << unit.format().caps();
  EXPECT_EQ(unit.format().encoded()->codec, Codec::aac);
  EXPECT_FALSE(unit.format().codec_data().empty());
  EXPECT_NE(unit.info().flags & kKeyFrame, 0U);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtspEncoded, OfACameraOfH265ComesFromAKeyFrameOn) {
  CameraSetup setup;
  setup.codec = "h265";
  const RtspCamera camera(setup);
  start({{"uri", camera.uri()}}, {"video-encoded"});
  FrameReader video = reader("video-encoded", Policy::queue, Start::keyframe);
  const Frame frame = next(video);
  ASSERT_NE(frame.format().encoded(), nullptr) << frame.format().caps();
  EXPECT_EQ(frame.format().encoded()->codec, Codec::h265);
  EXPECT_EQ(frame.format().encoded()->width, 160U);
  EXPECT_NE(frame.format().caps().find("hvc1"), std::string::npos);
  ASSERT_FALSE(frame.format().codec_data().empty());
  EXPECT_EQ(frame.format().codec_data()[0], std::byte{1});  // hvcC (ISO/IEC 14496-15 section 8.3.3.1)
  EXPECT_NE(frame.info().flags & kKeyFrame, 0U);
  int keys = 0;
  for (int i = 0; i < 30; ++i) keys += (next(video).info().flags & kKeyFrame) != 0 ? 1 : 0;
  EXPECT_GE(keys, 2);
  EXPECT_LE(keys, 10);
  stage_->stop();
  stage_->join();
}

// It gives one at its beginning, and then none in a quarter of an hour.
TEST_F(CaptureRtspEncoded, AsksACameraThatTakesFeedbackForTheKeyFrameThatAReaderWants) {
  CameraSetup setup;
  setup.key_frames = 25 * 60 * 15;
  setup.feedback = true;
  const RtspCamera camera(setup);
  start({{"uri", camera.uri()}}, {"video-encoded"});
  FrameReader first = reader("video-encoded", Policy::queue, Start::keyframe);
  expect_beginning(next(first));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(first).info().flags & kKeyFrame, 0U);
  EXPECT_TRUE(first.request_key_frame());
  bool came = false;
  for (int i = 0; i < 25 * 60 && !came; ++i) came = (next(first).info().flags & kKeyFrame) != 0;
  EXPECT_TRUE(came);
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureRtspEncoded, OfACameraOfJpegsComesPictureByPicture) {
  CameraSetup setup;
  setup.codec = "jpeg";
  const RtspCamera camera(setup);
  start({{"uri", camera.uri()}}, {"video", "video-encoded"});
  FrameReader video = reader("video");
  FrameReader pictures = reader("video-encoded");
  EXPECT_EQ(next(video).format().video()->width, 160U);
  const Frame frame = next(pictures);
  ASSERT_NE(frame.format().encoded(), nullptr) << frame.format().caps();
  EXPECT_EQ(frame.format().encoded()->codec, Codec::jpeg);
  EXPECT_NE(frame.info().flags & kKeyFrame, 0U);
  stage_->stop();
  stage_->join();
}

}  // namespace
}  // namespace capture_test
