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
    health.stages = {{"camera", Condition::ok, 20, true}, {"reader", Condition::restarting, 0, false, 1}};
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

// @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
TEST(MetricsText, IsUtf8WhateverAStageCallsItself) {
  Example example;
  const auto number = [&](const std::string& stream, const std::string& help) {
    example.report.stages[0].metrics = {{"n", stream, help, false, 1}};
    return metrics_text(example.report, example.health);
  };
  const auto named = [](const std::string& text) {
    return HasSubstr("\nreel_stage_n{pipeline=\"yard\",stage=\"camera\",stream=\"" + text + "\"} 1\n");
  };
  const std::string whole = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xb7";
  EXPECT_THAT(number(whole, ""), named(whole));
  for (const std::string& broken :
       {std::string("\xc3"), std::string("\xff"), std::string("\x80"), std::string("\xc0\xaf"),
        std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xe0\x80\xaf"),
        std::string("\xf0\x9f\x93")}) {
    std::string replaced;
    for (std::size_t i = 0; i < broken.size(); ++i) replaced += "\xef\xbf\xbd";
    EXPECT_THAT(number("a" + broken + "z", ""), named("a" + replaced + "z"));
  }
  EXPECT_THAT(number("\"a\\b\"\n\t", "one\\\ntwo \"quoted\" \xff"),
              ::testing::AllOf(named(R"(\"a\\b\"\n?)"),
                               HasSubstr("# HELP reel_stage_n one\\\\\\ntwo \"quoted\" \xef\xbf\xbd\n")));
}

TEST(MetricsText, HasOneSeriesOfAStageThatWasTakenOutAndAddedAgain) {
  Example example;
  StageReport anew = example.report.stages[0];
  anew.outputs[0].frames = anew.outputs[0].newest = 89;
  example.report.stages[0].state = "stopped";
  example.report.stages.push_back(anew);
  example.health.stages[0].index = 2;
  const std::string text = metrics_text(example.report, example.health);
  const std::string camera = R"({pipeline="yard",stage="camera",port="video",stream="camera"})";
  EXPECT_THAT(text, HasSubstr("\nreel_output_frames_total" + camera + " 89\n"));
  EXPECT_THAT(text, Not(HasSubstr("reel_output_frames_total" + camera + " 360\n")));
  EXPECT_THAT(text, HasSubstr(R"(reel_process_state{pipeline="yard",stage="camera",state="running"} 1)"));
  EXPECT_THAT(text, HasSubstr("reel_input_backlog_frames{pipeline=\"yard\",stage=\"reader\",port=\"in\","
                              "stream=\"camera\"} 1\n"))
      << "of the writer that is there";
  std::istringstream lines(text);
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second || line.starts_with('#')) << line;
}

TEST(MetricsText, LeavesOutASecondNumberOfTheSameName) {
  Example example;
  example.report.stages[0].metrics = {{"n", "\xff", "", false, 1}, {"n", "\xfe", "", false, 2}};
  const std::string text = metrics_text(example.report, example.health);
  EXPECT_THAT(text, HasSubstr("stream=\"\xef\xbf\xbd\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("stream=\"\xef\xbf\xbd\"} 2\n")));
}

TEST(MetricsText, CallsAStageHealthyThatOnlyWaits) {
  Example example;
  const auto healthy = [&](Condition condition) {
    example.health.stages[0].condition = condition;
    const std::string text = metrics_text(example.report, example.health);
    return text.find("\nreel_process_healthy{pipeline=\"yard\",stage=\"camera\"} 1\n") != std::string::npos;
  };
  for (const Condition well : {Condition::ok, Condition::waiting, Condition::ended, Condition::ignored})
    EXPECT_TRUE(healthy(well)) << to_string(well);
  for (const Condition ill :
       {Condition::starting, Condition::stalled, Condition::held_up, Condition::disconnected,
        Condition::impaired, Condition::restarting, Condition::failed})
    EXPECT_FALSE(healthy(ill)) << to_string(ill);
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
