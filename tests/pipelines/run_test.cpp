#include "running_pipeline.hpp"

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

// Three readers of one source, one each of the policies.
constexpr const char* kThreeReaders = R"(
version: 1
name: three
stages:
  source: {use: synthetic.source, options: {width: 320, height: 240, fps: 0, frames: 2000}, out: numbers}
  all: {use: synthetic.verify, in: numbers}
  some: {use: synthetic.verify, in: {stream: numbers, policy: queue}}
  newest: {use: synthetic.verify, in: {stream: numbers, policy: latest}, options: {delay_ms: 5}}
)";

TEST(Run, EndsWellWhenItsSourcesHaveEnded) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kThreeReaders);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const nlohmann::json summary = pipeline.summary();
  EXPECT_EQ(summary["status"], 0);
  for (const auto& stage : summary["stages"]) {
    EXPECT_EQ(stage["state"], "finished") << stage;
    EXPECT_EQ(stage["restarts"], 0) << stage;
    EXPECT_GT(stage["cpu_seconds"], 0.0) << stage;
  }
}

// As daemons and cron wrappers start it.
class ClosedDescriptor : public ::testing::TestWithParam<const char*> {};

TEST_P(ClosedDescriptor, IsNotTakenForAFile) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  ChildProcess shell = ChildProcess::program(
      "sh", {"-c", std::string("exec \"$0\" \"$@\" ") + GetParam(), reel_command(), "run",
             scratch.write("pipeline.yaml", kThreeReaders), "--summary-json", scratch.path() + "/summary"});
  EXPECT_TRUE(shell.wait().ok()) << shell.errors();
  const auto summary = nlohmann::json::parse(scratch.read("summary"));
  for (const auto& stage : summary["stages"]) {
    for (const auto& input : stage["inputs"]) EXPECT_EQ(input["stream"], "numbers") << input;
  }
  EXPECT_EQ(summary["stages"][0]["outputs"][0]["frames"], 2000) << summary;
}

INSTANTIATE_TEST_SUITE_P(Each, ClosedDescriptor,
                         ::testing::Values("<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"),
                         [](const auto& one) { return "Closed" + std::to_string(one.index); });

TEST(Run, CountsEveryFrameOnceAtEveryReader) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kThreeReaders);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const auto all = pipeline.verdict("all");
  EXPECT_EQ(all["frames"], 2000);
  EXPECT_EQ(all["gaps"], 0);
  EXPECT_EQ(all["corrupted"], 0);
  for (const char* name : {"all", "some", "newest"}) {
    const auto input = pipeline.stage_summary(name)["inputs"][0];
    EXPECT_EQ(input["stream"], "numbers");
    EXPECT_EQ(input["frames"].get<int>() + input["skipped"].get<int>() + input["lapped"].get<int>(), 2000)
        << input;
    EXPECT_EQ(input["verified"], input["frames"]) << input;
    EXPECT_EQ(input["corrupted"], 0) << input;
    EXPECT_GT(input["hop_median_ns"], 0) << input;
  }
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["frames"], 2000);
}

TEST(Run, PrintsTheResultsOfStagesThenATable) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kThreeReaders);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const std::string& output = pipeline.reel().output();
  const std::size_t table = output.find("pipeline three: ");
  ASSERT_NE(table, std::string::npos) << output;
  EXPECT_LT(output.rfind("\"stage\":\"all\""), table);
  EXPECT_THAT(output.substr(table), HasSubstr("> numbers"));
  EXPECT_THAT(output.substr(table), HasSubstr("< numbers"));
  EXPECT_THAT(output.substr(table), HasSubstr("verified"));
}

TEST(Run, DrainsAfterItsDuration) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
)",
                           {"--duration", "1"});
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const auto sink = pipeline.verdict("sink");
  EXPECT_GT(sink["frames"], 0);
  EXPECT_EQ(sink["gaps"], 0);
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["frames"], sink["frames"]);
}

/// Nothing went wrong with the drain, but nothing had gone well before it.
TEST(Run, FailsWhenAStageWasDownAtItsEnd) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: numbers}
  broken: {use: exec, options: {command: [sh, -c, "exit 3"]}, in: numbers, restart_delay: 60s}
)",
                           {"--duration", "1"});
  const auto exit = pipeline.wait();
  EXPECT_FALSE(exit.ok());
  EXPECT_THAT(pipeline.reel().errors(),
              ::testing::HasSubstr("broken: failed: exit status 3; the pipeline ended before restart 1"));
  EXPECT_EQ(pipeline.stage_summary("broken")["state"], "failed");
}

TEST(Run, GivesEachStageAProcessOfItsOwn) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kThreeReaders, {"--set", "source.frames=0"});
  std::vector<pid_t> pids;
  for (const char* name : {"source", "all", "some", "newest"}) pids.push_back(pipeline.wait_for_stage(name));
  std::sort(pids.begin(), pids.end());
  EXPECT_EQ(std::unique(pids.begin(), pids.end()), pids.end());
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
}

}  // namespace
}  // namespace reel_test
