// A disk that fills: retention keeps it from that; without it frames wait, the newest are lost and counted,
// and recording goes on by itself once there is room.
#include "recordings.hpp"
#include "small_disk.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/container.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

std::string recorder(const std::string& options) {
  return "  recorder:\n    use: record\n    in: pictures\n    options: {directory: disk/recordings, segment: "
         "1s, codec: mjpeg, " +
         options + "}\n";
}

TEST(RecordDisk, NeverFillsWhereRetentionKeepsRoom) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OnASmallDisk pipeline("16m", recorder("max_bytes: 6MB"));
  ASSERT_TRUE(pipeline.wait_for_log("removed ")) << pipeline.log();
  pipeline.end();
  EXPECT_THAT(pipeline.log(), HasSubstr("max_bytes"));
  EXPECT_THAT(pipeline.log(), HasSubstr(" 0 frames were lost"));
  const auto segments = finished_in(pipeline.recordings());
  expect_intact(pipeline.recordings(), segments);
  EXPECT_GT(segments.front().sequence, 1U) << "the oldest went first";
}

TEST(RecordDisk, ThatIsFullLosesTheNewestAndSaysHowManyUntilThereIsRoom) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OnASmallDisk pipeline("12m", recorder("spool_memory: 8MB, full_spool: lose"));
  ASSERT_TRUE(pipeline.wait_for_log("is full")) << pipeline.log();
  // Of those that waited in the spool meanwhile none is lost yet: those that no longer fit are.
  const std::string told = "frames were lost in the last";
  ASSERT_TRUE(wait_until([&] {
    return pipeline.log().find(told, pipeline.log().find("is full")) != std::string::npos;
  })) << pipeline.log();
  const auto before = finished_in(pipeline.recordings());
  ASSERT_FALSE(before.empty());
  for (const auto& segment : before) std::filesystem::remove(pipeline.recordings() + "/" + segment.path);
  ASSERT_TRUE(pipeline.wait_for_log("has room again")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_log(" frames lost")) << pipeline.log();
  pipeline.end();
  const auto segments = finished_in(pipeline.recordings());
  EXPECT_EQ(segments_in(pipeline.recordings()).size(), segments.size()) << "one was left open";
  expect_intact(pipeline.recordings(), segments);
  const std::uint64_t lost = lost_frames(segments, "pictures");
  EXPECT_GT(lost, 0U) << pipeline.log();
  EXPECT_TRUE(std::any_of(segments.begin(), segments.end(), [](const record::SegmentRecord& segment) {
    return std::any_of(segment.gaps.begin(), segment.gaps.end(), [](const record::Gap& gap) {
      return gap.reason.find("disk was full") != std::string::npos;
    });
  })) << pipeline.log();
}

}  // namespace
}  // namespace reel_test
