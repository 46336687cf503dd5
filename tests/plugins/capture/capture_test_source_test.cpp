// test://: pictures, tone, counts, and what is refused.
#include "capture_fixture.hpp"

#include <cmath>
#include <cstring>

#include <reel_test/expect_error.hpp>

namespace capture_test {
namespace {

using namespace reel;

using CaptureTestSource = CaptureTest;

TEST_F(CaptureTestSource, MakesAsManyFramesAsAsked) {
  start({{"uri", "test://smpte"},
         {"frames", "12"},
         {"width", "320"},
         {"height", "240"},
         {"fps", "30000/1001"},
         {"format", "NV12"},
         {"realtime", "false"}},
        true, false);
  EXPECT_EQ(*next(video_).format().video(), (VideoFormat{PixelFormat::NV12, 320, 240, {30'000, 1'001}}));
  EXPECT_EQ(read_all_of(video_).size(), 11U);
  stage_->join();
}

TEST_F(CaptureTestSource, MakesEveryPixelFormat) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    start({{"uri", "test://ball?width=34&height=18&frames=1"},
           {"format", std::string(to_string(pixel))},
           {"realtime", "false"}},
          true, false);
    const Frame frame = next(video_);
    EXPECT_EQ(to_string(frame.format().video()->pixel), to_string(pixel));
    EXPECT_EQ(frame.data().size(), frame.format().frame_bytes());
    stage_->join();
    stage_.reset();
    video_.reset();
    video_stream_ = reel_test::unique_name("camera");
  }
}

TEST_F(CaptureTestSource, MakesAToneOfTheAskedAmplitudeThatLastsAsLong) {
  start({{"uri", "test://black?frames=30&fps=30&tone=1000&volume=0.25"},
         {"realtime", "false"},
         {"channels", "1"},
         {"audio_format", "F32LE"}},
        false, true);
  std::size_t samples = 0;
  float peak = 0;
  double squares = 0;
  Frame frame;
  while (audio_->read(frame, 60'000) == ReadStatus::frame) {
    for (std::size_t at = 0; at < frame.data().size(); at += sizeof(float), ++samples) {
      float value = 0;
      std::memcpy(&value, frame.data().data() + at, sizeof value);
      peak = std::max(peak, std::fabs(value));
      squares += static_cast<double>(value) * value;
    }
  }
  EXPECT_EQ(samples, 48'000U);
  EXPECT_NEAR(peak, 0.25, 1e-3);
  EXPECT_NEAR(std::sqrt(squares / 48'000), 0.25 / std::sqrt(2), 1e-3);
  stage_->join();
}

TEST_F(CaptureTestSource, MakesLargePictures) {
  start({{"uri", "test://ball?width=3840&height=2160&frames=3"}, {"realtime", "false"}}, true, false);
  const std::vector<Seen> frames = read_all_of(video_);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[2].bytes, 3840U * 2160U * 3U / 2U);
  stage_->join();
}

class CaptureTestSourceRefusal : public CaptureTest {
 protected:
  void expect(ErrorCode code, std::initializer_list<std::string> words, const Texts& options,
              bool video = true) {
    start(options, video, false);
    reel_test::expect_error(code, words, [&] { stage_->join(); });
  }
};

TEST_F(CaptureTestSourceRefusal, NamesTheNearestPattern) {
  expect(ErrorCode::bad_config, {"test://smtpe", "smpte"}, {{"uri", "test://smtpe"}});
}
TEST_F(CaptureTestSourceRefusal, NamesTheNearestKey) {
  expect(ErrorCode::bad_config, {"heigth", "\"height\""}, {{"uri", "test://ball?heigth=2"}});
}
TEST_F(CaptureTestSourceRefusal, NamesTheRangeOfAValue) {
  expect(ErrorCode::bad_config, {"width", "99999", "32768"}, {{"uri", "test://ball?width=99999"}});
}
TEST_F(CaptureTestSourceRefusal, RefusesTextThatIsNoKeyAndValue) {
  expect(ErrorCode::bad_config, {"\"width\"", "key=value"}, {{"uri", "test://ball?width"}});
}
TEST_F(CaptureTestSourceRefusal, RefusesAnImpossibleRate) {
  expect(ErrorCode::bad_config, {"fps", "30/0"}, {{"uri", "test://ball"}, {"fps", "30/0"}});
}
TEST_F(CaptureTestSourceRefusal, RefusesOptionsOfTestPicturesForFiles) {
  expect(ErrorCode::bad_config, {"'width'", "test://", "clip.mp4"}, {{"uri", "clip.mp4"}, {"width", "640"}});
}
TEST_F(CaptureTestSourceRefusal, RefusesASchemeThatNoSourceIsFor) {
  expect(ErrorCode::bad_config, {"ftp://", "file://", "test://", "rtsp"}, {{"uri", "ftp://127.0.0.1/clip"}});
}
TEST_F(CaptureTestSourceRefusal, WantsAnOutput) {
  expect(ErrorCode::bad_config, {"'video'", "'audio'", "out"}, {{"uri", "test://ball"}}, false);
}

}  // namespace
}  // namespace capture_test
