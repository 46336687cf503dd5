#include "control_wire.hpp"

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;

TEST(ControlWire, RequestsAreReadAsTheyWereWritten) {
  const ControlRequest read = request_from(to_line({.ask = "apply",
                                                    .stage = "s",
                                                    .file = "/a \"b\"\n.yaml",
                                                    .overrides = {"x.y=1"},
                                                    .lines = 7,
                                                    .follow = true}));
  EXPECT_EQ(read.ask, "apply");
  EXPECT_EQ(read.stage, "s");
  EXPECT_EQ(read.file, "/a \"b\"\n.yaml");
  EXPECT_THAT(read.overrides, ElementsAre("x.y=1"));
  EXPECT_EQ(read.lines, 7U);
  EXPECT_TRUE(read.follow);
}

TEST(ControlWire, ALineIsALine) {
  EXPECT_EQ(to_line(ControlAnswer{LogLine{1, "a", LogLevel::error, "two\nlines"}, {}, {}, {}}).find('\n'),
            std::string::npos);
}

TEST(ControlWire, RequestsOfAnotherVersionAreRefused) {
  reel_test::expect_error(ErrorCode::version, {"version 2", "1"},
                          [] { (void)request_from(R"({"reel": 2, "ask": "status"})"); });
}

TEST(ControlWire, WhatIsNoRequestIsRefused) {
  for (const char* line :
       {"", "x", "[]", "{}", R"({"reel": 1})", R"({"reel": 1, "ask": 5})", R"({"reel": "1", "ask": "stop"})",
        R"({"reel": 1, "ask": "logs", "lines": "many"})"}) {
    reel_test::expect_error(ErrorCode::protocol, {"control message"}, [&] { (void)request_from(line); });
  }
}

TEST(ControlWire, NumbersThatAreNoneOrTooLargeAreRefused) {
  for (const char* lines : {"-1", "1e300", "0.5", "99999999999999999999", "\"1\""})
    reel_test::expect_error(ErrorCode::protocol, {"lines"}, [&] {
      (void)request_from(std::string(R"({"reel": 1, "ask": "logs", "lines": )") + lines + "}");
    });
  reel_test::expect_error(ErrorCode::protocol, {"reel"},
                          [] { (void)request_from(R"({"reel": 1e300, "ask": "status"})"); });
}

TEST(ControlWire, AnswersAreReadAsTheyWereWritten) {
  PipelineStatus status{"/p.yaml", 12, true, {"a", "b"}, {{"s", "a", {"b", "b"}}}, {}};
  status.report.name = "p";
  status.report.seconds = 1.5;
  status.report.stages.push_back({});
  status.report.stages[0].name = "a";
  status.report.stages[0].busy_ms = 44;
  status.report.stages[0].outputs.push_back({"out", "s", 3, 4, 5, 6});
  status.report.stages[0].inputs.push_back({});
  status.report.stages[0].inputs[0].hop_p99_ns = 9;
  const ControlAnswer read = answer_from(to_line(ControlAnswer{{}, {}, status, {"done"}}));
  ASSERT_TRUE(read.status);
  EXPECT_THAT(read.lines, ElementsAre("done"));
  EXPECT_EQ(read.status->file, "/p.yaml");
  EXPECT_EQ(read.status->pid, 12U);
  EXPECT_TRUE(read.status->draining);
  EXPECT_THAT(read.status->stages, ElementsAre("a", "b"));
  EXPECT_THAT(read.status->streams.at(0).readers, ElementsAre("b", "b"));
  EXPECT_EQ(read.status->report.seconds, 1.5);
  EXPECT_EQ(read.status->report.stages.at(0).busy_ms, 44);
  EXPECT_EQ(read.status->report.stages.at(0).outputs.at(0).demoted, 6U);
  EXPECT_EQ(read.status->report.stages.at(0).inputs.at(0).hop_p99_ns, 9);
}

TEST(ControlWire, ErrorsKeepTheirCode) {
  const ControlAnswer read =
      answer_from(to_line(ControlAnswer{{}, Error(ErrorCode::bad_config, "wrong", "f.yaml:3"), {}, {}}));
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->code(), ErrorCode::bad_config);
  EXPECT_EQ(read.error->message(), "wrong");
  EXPECT_EQ(read.error->where(), "f.yaml:3");
}

TEST(ControlWire, PagesAreReadAsTheyWereWritten) {
  ControlAnswer page;
  page.page = TracedStage{"faces", "exec", false, {}};
  const ControlAnswer read = answer_from(to_line(page));
  ASSERT_TRUE(read.page);
  EXPECT_EQ(read.page->stage, "faces");
  EXPECT_EQ(read.page->use, "exec");
  EXPECT_FALSE(read.page->spans);
  EXPECT_FALSE(read.page->page) << "it goes beside the line";
  for (const char* line : {R"({"page": 3})", R"({"page": {"stage": "a", "use": "b"}})"})
    reel_test::expect_error(ErrorCode::protocol, {"control message"}, [&] { (void)answer_from(line); });
}

TEST(ControlWire, LogLinesKeepTheirLevel) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    const ControlAnswer read =
        answer_from(to_line(ControlAnswer{LogLine{5, "stage", level, "text"}, {}, {}, {}}));
    ASSERT_TRUE(read.log);
    EXPECT_EQ(read.log->level, level);
    EXPECT_EQ(read.log->time_ns, 5);
    EXPECT_EQ(read.log->source, "stage");
    EXPECT_EQ(read.log->text, "text");
  }
}

}  // namespace
}  // namespace reel
