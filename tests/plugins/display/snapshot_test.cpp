// The snapshot stage: which frames it takes, where they go, and what it says when they cannot.
#include "png_file.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <opencv2/imgcodecs.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/short_files.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/channel/opencv_convert.hpp>

namespace fs = std::filesystem;

namespace {

using namespace reel;

class Snapshot : public ::testing::Test {
 protected:
  void start(std::map<std::string, std::string> options) {
    options.try_emplace("path", "{stream}-{n}.png");
    WriterOptions writer;
    writer.wait_for = {"shot"};
    writer_.emplace(stream_, VideoFormat{PixelFormat::NV12, 64, 48, {30, 1}}, writer);
    StageSetup setup;
    setup.name = "shot";
    setup.plugin = "snapshot";
    setup.base_directory = out_.path();
    setup.options = reel_test::options(options);
    ReaderOptions reader;
    reader.name = "shot";
    reader.policy = Policy::lossless;
    setup.inputs = {{"in", stream_, reader}};
    stage_.emplace(setup);
  }
  /// Frame n, from 1: pts n seconds, grey 10 n. With `found`, a detection.
  void send(int n, bool found = false) {
    Loan loan;
    ASSERT_EQ(writer_->acquire(loan), WriteStatus::ok);
    from_bgr(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(10 * n)), loan);
    Detection box{.score = 0.9F, .x = 1, .y = 2, .width = 3, .height = 4};
    if (found) {
      ASSERT_TRUE(loan.side_data().add_detections("test", {&box, 1}));
    }
    FrameInfo info;
    info.pts_ns = n * 1'000'000'000LL;
    ASSERT_EQ(writer_->publish(std::move(loan), info), WriteStatus::ok);
  }
  void finish() {
    writer_->end();
    stage_->join();
  }
  /// Names of all files written, with the grey of each divided by 10.
  std::map<std::string, int> written() const {
    std::map<std::string, int> files;
    for (const auto& entry : fs::recursive_directory_iterator(out_.path())) {
      if (!entry.is_regular_file()) continue;
      const cv::Mat picture = cv::imread(entry.path().string());
      files[fs::relative(entry.path(), out_.path()).string()] =
          picture.empty() ? -1 : (picture.at<cv::Vec3b>(20, 20)[0] + 5) / 10;
    }
    return files;
  }
  using Files = std::map<std::string, int>;

  reel_test::TempRuntimeDir directory_;
  reel_test::ScratchDir out_;
  std::string stream_ = reel_test::unique_name("video");
  std::optional<FrameWriter> writer_;
  std::optional<reel_test::RunningStage> stage_;
};

TEST_F(Snapshot, TakesTheFirstFrameAndEnds) {
  start({});
  send(1);
  stage_->join();
  EXPECT_EQ(written(), (Files{{stream_ + "-1.png", 1}}));
  writer_->end();
}

TEST_F(Snapshot, TakesEachNthFromATimeOn) {
  start({{"path", "deep/er/{sequence}_{time}.png"}, {"count", "0"}, {"every", "2"}, {"after", "3"}});
  for (int n = 1; n <= 8; ++n) send(n);
  finish();
  EXPECT_EQ(written(),
            (Files{{"deep/er/3_3.000.png", 3}, {"deep/er/5_5.000.png", 5}, {"deep/er/7_7.000.png", 7}}));
}

TEST_F(Snapshot, WaitsForADetection) {
  start({{"with_detections", "true"}});
  for (int n = 1; n <= 4; ++n) send(n, n == 3);
  finish();
  EXPECT_EQ(written(), (Files{{stream_ + "-1.png", 3}}));
}

TEST_F(Snapshot, EndsWellWithoutAnythingToTake) {
  start({{"with_detections", "true"}});
  send(1);
  finish();
  EXPECT_TRUE(written().empty());
}

TEST_F(Snapshot, ReplacesWhatWasThere) {
  out_.write("x.png", "old");
  start({{"path", "x.png"}});
  send(4);
  stage_->join();
  EXPECT_EQ(written(), (Files{{"x.png", 4}}));
  writer_->end();
}

TEST_F(Snapshot, SaysWhereItCannotWrite) {
  out_.write("file", "in the way");
  start({{"path", "file/x.png"}});
  send(1);
  reel_test::expect_error(ErrorCode::io, {out_.file("file"), "`path`"}, [&] { stage_->join(); });
  writer_->end();
}

TEST_F(Snapshot, LeavesNothingWhereThePictureDoesNotFit) {
  start({{"path", "{n}.png"}, {"count", "0"}});
  send(1);
  const Files first{{"1.png", 1}};
  ASSERT_TRUE(reel_test::wait_until([&] { return written() == first; })) << "all memory is there";
  const reel_test::ShortFiles limit(20);
  send(2);
  reel_test::expect_error(ErrorCode::io, {"2.png", "File too large", "`path`"}, [&] { stage_->join(); });
  EXPECT_EQ(written(), first) << "nothing unfinished is left";
  writer_->end();
}

TEST(PathPattern, IsCheckedBeforeAnythingRuns) {
  using reel_test::expect_error;
  expect_error(ErrorCode::bad_config, {"{steam}", "{stream}"},
               [] { check_path_pattern("a-{steam}.png", false); });
  expect_error(ErrorCode::bad_config, {".png"}, [] { check_path_pattern("a-{n}.jpg", false); });
  expect_error(ErrorCode::bad_config, {"{n}"}, [] { check_path_pattern("{stream}.png", true); });
  expect_error(ErrorCode::bad_config, {"{n"}, [] { check_path_pattern("{n.png", false); });
  EXPECT_NO_THROW(check_path_pattern("{time}.png", true));
}

TEST(PathPattern, IsFilledIn) {
  EXPECT_EQ(fill_path_pattern("{stream}/{n}-{sequence}-{time}.png", {"cam", 2, 77, 61'005'000'000}),
            "cam/2-77-61.005.png");
  EXPECT_EQ(fill_path_pattern("{time}.png", {"cam", 1, 1, -1}), "unknown.png");
}

}  // namespace
