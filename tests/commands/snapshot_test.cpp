#include <vector>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/short_files.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

/// Left half dark, right half bright: the order of columns shows, and grey survives every pixel format.
cv::Mat two_greys(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3, cv::Scalar::all(40));
  picture(cv::Rect(width / 2, 0, width - width / 2, height)).setTo(cv::Scalar::all(200));
  return picture;
}

class SnapshotOf : public testing::TestWithParam<reel::PixelFormat> {};

TEST_P(SnapshotOf, HasThePictureOfTheStream) {
  const reel_test::TempRuntimeDir runtime;
  const reel_test::ScratchDir pictures;
  reel::FrameWriter writer("camera", reel::VideoFormat{GetParam(), 66, 48, reel::Fraction{30, 1}});
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan), reel::WriteStatus::ok) << writer.error();
  const cv::Mat drawn = two_greys(66, 48);
  reel::from_bgr(drawn, loan);
  ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();

  const auto run = run_reel({"snapshot", "camera", pictures.file("a.png")});
  ASSERT_EQ(run.status, 0) << run.errors;
  const cv::Mat saved = cv::imread(pictures.file("a.png"));
  ASSERT_EQ(saved.size(), drawn.size());
  cv::Mat difference;
  cv::absdiff(saved, drawn, difference);
  double most = 0;
  cv::minMaxLoc(difference.reshape(1), nullptr, &most);
  EXPECT_LE(most, 4);  // rounding of 8-bit YUV
}

INSTANTIATE_TEST_SUITE_P(EveryPixelFormat, SnapshotOf,
                         testing::ValuesIn(reel::all_pixel_formats().begin(),
                                           reel::all_pixel_formats().end()),
                         [](const auto& format) { return std::string(reel::to_string(format.param)); });

TEST(Snapshot, DecodesJpeg) {
  const reel_test::TempRuntimeDir runtime;
  const reel_test::ScratchDir pictures;
  std::vector<unsigned char> jpeg;
  cv::imencode(".jpg", two_greys(64, 48), jpeg);
  reel::EncodedFormat format;
  format.codec = reel::Codec::jpeg;
  format.width = 64;
  format.height = 48;
  reel::FrameWriter writer("camera", format, {.slot_bytes = 65'536});
  ASSERT_EQ(writer.write(std::as_bytes(std::span(jpeg))), reel::WriteStatus::ok) << writer.error();
  const auto run = run_reel({"snapshot", "camera", pictures.file("a.png")});
  ASSERT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(cv::imread(pictures.file("a.png")).size(), cv::Size(64, 48));
}

TEST(Snapshot, SaysThatSoundHasNoPicture) {
  const reel_test::TempRuntimeDir runtime;
  const reel_test::ScratchDir pictures;
  reel::FrameWriter writer("sound", reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 2},
                           {.slot_bytes = 4096});
  const std::vector<std::byte> silence(400);
  ASSERT_EQ(writer.write(silence), reel::WriteStatus::ok) << writer.error();
  const auto run = run_reel({"snapshot", "sound", pictures.file("a.png")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("audio/x-raw"));
}

TEST(Snapshot, EndsWithStatusTwoForAFileThatIsNoPng) {
  const auto run = run_reel({"snapshot", "camera", "a.gif"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr(".png"));
}

TEST(Snapshot, SaysThatTheFileCannotBeWritten) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera",
                           reel::VideoFormat{reel::PixelFormat::BGR, 16, 16, reel::Fraction{30, 1}});
  const std::vector<std::byte> black(16 * 16 * 3);
  ASSERT_EQ(writer.write(black), reel::WriteStatus::ok) << writer.error();
  const auto run = run_reel({"snapshot", "camera", "/no/such/directory/a.png"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("/no/such/directory/a.png"));
}

TEST(Snapshot, LeavesTheOldPictureWhereTheNewOneDoesNotFit) {
  const reel_test::TempRuntimeDir runtime;
  const reel_test::ScratchDir pictures;
  const std::string file = pictures.write("a.png", "old");
  reel::FrameWriter writer("camera",
                           reel::VideoFormat{reel::PixelFormat::BGR, 64, 64, reel::Fraction{30, 1}});
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 256);
  ASSERT_EQ(writer.write({reinterpret_cast<const std::byte*>(noise.data), 64 * 64 * 3}),
            reel::WriteStatus::ok)
      << writer.error();
  const auto run = [&] {
    const reel_test::ShortFiles limit(4096);  // of its child too: enough for what it says
    return run_reel({"snapshot", "camera", file});
  }();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("File too large"));
  EXPECT_EQ(reel_test::read_file(file), "old");
}

}  // namespace
