// Files: every frame, every sample, every time.
#include "capture_fixture.hpp"

#include <cmath>
#include <filesystem>
#include <thread>

#include <reel/base/clock.hpp>
#include <reel/channel/observer.hpp>

namespace capture_test {
namespace {

using namespace reel;

class CaptureFile : public CaptureTest {
 protected:
  [[nodiscard]] std::string picture_file(int frames) const {
    return media_.make("picture.avi", small_picture(frames) + " ! jpegenc ! avimux");
  }
  [[nodiscard]] std::string sound_file(int buffers) const {
    return media_.make("sound.wav", small_sound(buffers) + " ! wavenc");
  }
  [[nodiscard]] std::string both_file() const {
    return media_.make("both.mkv", small_sound(20) + " ! queue ! mux. " + small_picture(50) +
                                       " ! jpegenc ! queue ! matroskamux name=mux");
  }
};

TEST_F(CaptureFile, DeliversEveryFrameOfTheShippedClipInTheDecodersOwnFormat) {
  if (!std::filesystem::exists(CLIP)) GTEST_SKIP() << "the clip is not in this tree: " << CLIP;
  start({{"uri", CLIP}, {"realtime", "false"}}, true, false);
  {
    const Frame first = next(video_);
    const VideoFormat* format = first.format().video();
    ASSERT_NE(format, nullptr);
    EXPECT_EQ(*format, (VideoFormat{PixelFormat::I420, 1280, 720, {30, 1}}));
    EXPECT_EQ(first.info().pts_ns, 0);
    ASSERT_NE(first.segment(), nullptr);
    EXPECT_EQ(first.segment()->monotonic_offset_ns, kNoTime);
  }
  const std::vector<Seen> frames = read_all_of(video_);
  ASSERT_EQ(frames.size(), 248U);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    // The file counts in 1/15360 s; the demuxer rounds down to a nanosecond.
    EXPECT_NEAR(static_cast<double>(frames[i].info.pts_ns), static_cast<double>(i + 1) * 1e9 / 30, 1.0);
    EXPECT_NEAR(static_cast<double>(frames[i].info.duration_ns), 1e9 / 30, 1.0);
    EXPECT_EQ(frames[i].missed, 0U);
  }
  stage_->join();
}

/// Decoders pad their pictures: the slots are made for the first one, not for what its caps say.
TEST_F(CaptureFile, MakesItsMemoryOnceForPaddedPictures) {
  if (!std::filesystem::exists(CLIP)) GTEST_SKIP() << "the clip is not in this tree: " << CLIP;
  start({{"uri", CLIP}, {"realtime", "false"}}, true, false);
  const Frame frame = next(video_);
  ASSERT_GT(frame.data().size(), default_layout(*frame.format().video()).bytes)
      << "this decoder pads nothing: take a clip that makes it";
  EXPECT_EQ(StreamObserver(video_stream_).status().epochs, 1U);
}

TEST_F(CaptureFile, DeliversEverySampleOfTheShippedClip) {
  if (!std::filesystem::exists(CLIP)) GTEST_SKIP() << "the clip is not in this tree: " << CLIP;
  start({{"uri", CLIP}, {"realtime", "false"}, {"audio_format", "S16LE"}}, false, true);
  std::size_t samples = 0;
  std::int64_t due_ns = 0;
  for (const Seen& frame : read_all_of(audio_)) {
    EXPECT_NEAR(static_cast<double>(frame.info.pts_ns), static_cast<double>(due_ns), 2.0);
    samples += frame.bytes / 4;  // two channels of two bytes
    due_ns = static_cast<std::int64_t>(samples) * 1'000'000'000 / 48'000;
  }
  EXPECT_EQ(samples, 390U * 1024U);  // access units of 1024 samples
  stage_->join();
}

TEST_F(CaptureFile, PublishesPicturesWithTheStridesTheyWereDecodedWith) {
  start({{"uri", media_.make("odd.avi",
                             "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=162,"
                             "height=122,framerate=25/1 ! jpegenc ! avimux")},
         {"realtime", "false"},
         {"format", "BGR"}},
        true, false);
  const Frame frame = next(video_);
  ASSERT_EQ(frame.plane_count(), 1U);
  EXPECT_EQ(frame.plane(0).row_bytes, 162U * 3);
  EXPECT_EQ(frame.plane(0).rows, 122U);
  EXPECT_EQ(frame.plane(0).stride_bytes % 4, 0U);
  EXPECT_TRUE(frame.verified());
}

TEST_F(CaptureFile, PlaysPictureAndSoundEachToItsEnd) {
  start({{"uri", both_file()}, {"realtime", "false"}}, true, true);
  std::vector<Seen> sound;
  std::thread listener([&] { sound = read_all_of(audio_); });
  const std::vector<Seen> pictures = read_all_of(video_);
  listener.join();
  EXPECT_EQ(pictures.size(), 50U);
  std::size_t bytes = 0;
  for (const Seen& frame : sound) bytes += frame.bytes;
  EXPECT_EQ(bytes, 20U * 4800U * 2U);
  stage_->join();
}

TEST_F(CaptureFile, GoesOnWithTheSoundWhileThePicturesReaderSleeps) {
  start({{"uri", both_file()}, {"realtime", "false"}}, true, true);
  const Frame held = next(video_);  // the picture's writer fills its slots and waits
  const std::int64_t second = 1'000'000'000;
  std::int64_t heard_ns = 0;
  while (heard_ns < second / 2) {
    const Frame sound = next(audio_);
    ASSERT_TRUE(sound);
    heard_ns = sound.info().pts_ns + sound.info().duration_ns;
  }
  std::thread listener([&] { static_cast<void>(read_all_of(audio_)); });
  EXPECT_EQ(read_all_of(video_).size(), 49U);
  listener.join();
  stage_->join();
}

TEST_F(CaptureFile, TakesAFileUriWithEscapedCharacters) {
  const std::string path = picture_file(3);
  std::filesystem::rename(path, media_.path() + "/a b%.avi");
  start({{"uri", "file://" + media_.path() + "/a%20b%25.avi"}, {"realtime", "false"}}, true, false);
  EXPECT_EQ(read_all_of(video_).size(), 3U);
  stage_->join();
}

TEST_F(CaptureFile, TakesARelativePathFromThePipelinesDirectory) {
  static_cast<void>(picture_file(3));
  start({{"uri", "picture.avi"}, {"realtime", "false"}}, true, false);
  EXPECT_EQ(read_all_of(video_).size(), 3U);
  stage_->join();
}

TEST_F(CaptureFile, ConvertsSoundAndPictureWhenAsked) {
  start({{"uri", both_file()},
         {"realtime", "false"},
         {"format", "NV12"},
         {"audio_format", "F32LE"},
         {"rate", "16000"},
         {"channels", "2"}},
        true, true);
  EXPECT_EQ(next(video_).format().video()->pixel, PixelFormat::NV12);
  EXPECT_EQ(*next(audio_).format().audio(), (AudioFormat{SampleFormat::F32LE, 16'000, 2}));
}

TEST_F(CaptureFile, TimesGoOnIncreasingWhenItLoops) {
  start({{"uri", picture_file(5)}, {"realtime", "false"}, {"loop", "true"}}, true, false);
  for (int i = 0; i < 17; ++i) {
    const Frame frame = next(video_);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame.info().pts_ns, i * 40'000'000) << i;
    EXPECT_EQ((frame.info().flags & kDiscont) != 0, i % 5 == 0) << i;
  }
  stage_->drain();
  static_cast<void>(read_all_of(video_));
  stage_->join();
}

TEST_F(CaptureFile, PassesOfALoopBeginTogetherForPictureAndSound) {
  const std::string path = media_.make("uneven.mkv", small_sound(4) + " ! queue ! mux. " + small_picture(5) +
                                                         " ! jpegenc ! queue ! matroskamux name=mux");
  start({{"uri", path}, {"realtime", "false"}, {"loop", "true"}}, true, true);
  // 400 ms of sound, 200 ms of picture: a pass lasts as long as the longer.
  std::thread watcher([&] {
    for (int i = 0; i < 10; ++i) {
      const Frame frame = next(video_);
      EXPECT_NEAR(static_cast<double>(frame.info().pts_ns), (i / 5 * 400 + i % 5 * 40) * 1e6, 2e6) << i;
    }
  });
  std::int64_t last_ns = -1;
  for (int i = 0; i < 10; ++i) {
    const Frame frame = next(audio_);
    EXPECT_GT(frame.info().pts_ns, last_ns);
    last_ns = frame.info().pts_ns;
  }
  watcher.join();
  stage_->stop();
  stage_->join();
}

TEST_F(CaptureFile, InRealtimeFramesComeWhenTheyAreDueAndSayWhen) {
  start({{"uri", picture_file(10)}, {"realtime", "true"}}, true, false);
  std::int64_t base_ns = kNoTime;
  for (int i = 0; i < 10; ++i) {
    const Frame frame = next(video_);
    ASSERT_TRUE(frame);
    if (base_ns == kNoTime) base_ns = frame.info().capture_ns;
    EXPECT_EQ(frame.info().capture_ns - base_ns, frame.info().pts_ns);
    EXPECT_GE(frame.publish_ns(), frame.info().capture_ns);  // never early
    ASSERT_NE(frame.segment(), nullptr);
    EXPECT_EQ(frame.segment()->monotonic_offset_ns, base_ns);
  }
  stage_->join();
}

TEST_F(CaptureFile, InRealtimeTheClockStartsWhenTheReadersAreThere) {
  StageSetup setup;
  setup.name = "camera";
  setup.plugin = "capture";
  setup.options = reel_test::options({{"uri", picture_file(10)}});
  WriterOptions writer;
  writer.wait_for = {"late"};
  writer.start_timeout_ms = 60'000;
  setup.outputs = {{"video", video_stream_, writer}};
  stage_.emplace(setup);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::int64_t joined_ns = monotonic_ns();
  ReaderOptions late;
  late.name = "late";
  late.policy = Policy::lossless;
  video_.emplace(video_stream_, late);
  for (int i = 0; i < 10; ++i) EXPECT_GE(next(video_).info().capture_ns, joined_ns);
  stage_->join();
}

}  // namespace
}  // namespace capture_test
