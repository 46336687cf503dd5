#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/pipeline/report.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;

PipelineReport example() {
  PipelineReport report;
  report.name = "faces";
  report.seconds = 12.34;
  StageReport camera;
  camera.name = "camera";
  camera.state = "finished";
  camera.cpu_percent = 4.25;
  camera.outputs = {{"video", "camera", 360, 1000, 2, 0}};
  StageReport faces;
  faces.name = "faces";
  faces.state = "failed";
  faces.reason = "exit status 1";
  faces.restarts = 3;
  faces.inputs = {
      {"in", "camera", 180, 179, 1, 170, 9, 1, 150'000, 2'500'000, 12'000'000'000, 13'000'000'000}};
  faces.outputs = {{"out", "seen", 180, 0, 0, 0}};
  report.stages = {camera, faces};
  report.status = 1;
  report.failure = "stage 'faces': exit status 1";
  return report;
}

TEST(Report, IsATableOfStagesAndStreams) {
  EXPECT_EQ(report_table(example()),
            "pipeline faces: 12.3 s\n"
            "stage   state     restarts  stream    frames  verified  corrupted  skipped  lapped  latency    "
            "99 %  end to end    CPU\n"
            "camera  finished         0  > camera     360                                                    "
            "                 4.2 %\n"
            "faces   failed           3  < camera     180       179          1      170       9   150 us  "
            "2.5 ms        12 s  0.0 %\n"
            "                            > seen       180\n"
            "faces: failed: exit status 1\n"
            "failed: stage 'faces': exit status 1\n");
}

TEST(Report, ShowsAStageWithoutStreams) {
  PipelineReport report;
  report.stages.resize(1);
  report.stages[0].name = "tool";
  EXPECT_THAT(report_table(report), HasSubstr("\ntool "));
}

TEST(Report, IsJsonForMachines) {
  const std::string json = report_json(example());
  EXPECT_THAT(json, HasSubstr("\"name\": \"faces\""));
  EXPECT_THAT(json, HasSubstr("\"verified\": 179"));
  EXPECT_THAT(json, HasSubstr("\"hop_p99_ns\": 2500000"));
  EXPECT_THAT(json, HasSubstr("\"status\": 1"));
}

TEST(Report, IsOneLineOfProgress) {
  EXPECT_EQ(progress_line(example()), "12 s  camera 360  faces 180");
}

}  // namespace
}  // namespace reel
