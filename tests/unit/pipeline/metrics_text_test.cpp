#include "metrics_text.hpp"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Example {
  PipelineReport report;
  Health health;
  Example() {
    report.name = "yard";
    report.seconds = 12.5;
    StageReport camera;
    camera.name = "camera";
    camera.use = "capture";
    camera.state = "running";
    camera.outputs = {{"video", "camera", 360, 12'345'678'901, 2, 0, 90}};
    camera.metrics = {{"reconnects", "", "times that it came back", true, 4},
                      {"spool_bytes", "left \"eye\"\\\n", "h", false, 0.5}};
    StageReport reader;
    reader.name = "reader";
    reader.state = "backing off";
    reader.reason = "rtsp://user:secret@10.0.0.1/ is away";
    reader.restarts = 3;
    reader.inputs = {{"in", "camera", 180, 179, 1, 170, 9, 1, 150'000, 2'500'000, 12'000'000, 13'000'000}};
    reader.inputs[0].hop_count = 180;
    reader.inputs[0].hop_sum_ns = 27'000'000;
    reader.inputs[0].newest = 88;
    report.stages = {camera, reader};
    health.stages = {{"camera", Condition::ok, 20, true}, {"reader", Condition::restarting, 0, false}};
    health.reason = "reader: restarting";
  }
};

TEST(MetricsText, HasTheNumbersOfStagesAndStreams) {
  const Example example;
  const std::string text = metrics_text(example.report, example.health);
  const std::string reader = R"({pipeline="yard",stage="reader",port="in",stream="camera"})";
  for (const std::string& line :
       {std::string(R"(reel_pipeline_healthy{pipeline="yard"} 0)"),
        std::string(R"(reel_pipeline_uptime_seconds{pipeline="yard"} 12.5)"),
        std::string(R"(reel_process_state{pipeline="yard",stage="camera",state="running"} 1)"),
        std::string(R"(reel_process_state{pipeline="yard",stage="reader",state="running"} 0)"),
        std::string(R"(reel_process_state{pipeline="yard",stage="reader",state="backing off"} 1)"),
        std::string(R"(reel_process_healthy{pipeline="yard",stage="reader"} 0)"),
        std::string(R"(reel_process_restarts_total{pipeline="yard",stage="reader"} 3)"),
        std::string(R"(reel_output_bytes_total{pipeline="yard",stage="camera",port="video",stream="camera"} )"
                    "12345678901"),
        "reel_input_frames_total" + reader + " 180", "reel_input_skipped_frames_total" + reader + " 170",
        "reel_input_lapped_frames_total" + reader + " 9", "reel_input_corrupted_frames_total" + reader + " 1",
        "reel_input_backlog_frames" + reader + " 2", "reel_input_hop_seconds_count" + reader + " 180",
        "reel_input_hop_seconds_sum" + reader + " 0.027",
        std::string(R"(reel_stage_reconnects_total{pipeline="yard",stage="camera"} 4)"),
        std::string(
            R"(reel_stage_spool_bytes{pipeline="yard",stage="camera",stream="left \"eye\"\\\n"} 0.5)")})
    EXPECT_THAT(text, HasSubstr("\n" + line + "\n"));
  EXPECT_THAT(text,
              HasSubstr(R"(reel_input_hop_seconds{pipeline="yard",stage="reader",port="in",stream="camera",)"
                        R"(quantile="0.99"} 0.0025)"));
  EXPECT_THAT(text, Not(HasSubstr("reel_input_latency_seconds"))) << "nothing was measured";
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(MetricsText, NamesEachFamilyOnce) {
  const Example example;
  std::istringstream lines(metrics_text(example.report, example.health));
  std::set<std::string> families;
  std::string line, family;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << family << " comes twice";
    } else if (!line.starts_with("# TYPE ")) {
      EXPECT_TRUE(line.starts_with(family)) << line << " among those of " << family;
    }
  }
  EXPECT_GT(families.size(), 15u);
}

TEST(MetricsText, IsOfPlainCharactersWhateverAStageCallsItself) {
  Example example;
  example.report.stages[0].metrics = {{"n", "caf\xc3", "\x01\xff", false, 1}};
  EXPECT_THAT(metrics_text(example.report, example.health),
              HasSubstr("# HELP reel_stage_n ??\n# TYPE reel_stage_n gauge\n"
                        "reel_stage_n{pipeline=\"yard\",stage=\"camera\",stream=\"caf?\"} 1\n"));
}

TEST(MetricsText, LeavesOutANumberOfAnotherKind) {
  Example example;
  example.report.stages[0].metrics = {{"n", "", "", true, 1}};
  example.report.stages[1].metrics = {{"n_total", "", "", false, 2}};
  const std::string text = metrics_text(example.report, example.health);
  EXPECT_THAT(text, HasSubstr(R"(reel_stage_n_total{pipeline="yard",stage="camera"} 1)"));
  EXPECT_THAT(text, Not(HasSubstr(R"(reel_stage_n_total{pipeline="yard",stage="reader"})")));
}

}  // namespace
}  // namespace reel
