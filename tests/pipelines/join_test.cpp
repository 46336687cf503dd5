// Joined inputs in real processes: which frames meet, and how deep a fork must be.
#include "running_pipeline.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// One of every twelve frames meets itself; the others are held meanwhile, as far as there are slots.
std::string fork_of(int slots) {
  return R"(
version: 1
name: fork
streams:
  numbers: {stall_timeout: 500ms, slots: )" +
         std::to_string(slots) + R"(}
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 0, frames: 121}, out: numbers}
  pairs: {use: synthetic.sets, in: [numbers, {stream: numbers, every: 12}], join: 1ms}
)";
}

std::uint64_t demoted(const RunningPipeline& pipeline) {
  return pipeline.stage_summary("source")["outputs"][0]["demoted"].get<std::uint64_t>();
}

TEST(ForkAndJoin, RunsWithAsManySlotsAsCheckWants) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(fork_of(12));
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.verdict("pairs")["sets"], 11) << pipeline.reel().output();
  EXPECT_EQ(demoted(pipeline), 0u);
  const auto inputs = pipeline.stage_summary("pairs")["inputs"];
  EXPECT_EQ(inputs[0]["frames"], 11);
  EXPECT_EQ(inputs[0]["skipped"], 110);
  EXPECT_EQ(inputs[1]["skipped"], 110);
  EXPECT_EQ(inputs[0]["lapped"], 0);
  EXPECT_THAT(pipeline.log(), HasSubstr("11 sets of frames; without a partner: 110 of \"numbers\", 0 of"));
}

TEST(ForkAndJoin, StandsStillWithOneLess) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(fork_of(11));
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_GE(demoted(pipeline), 1u) << "stall_timeout ends the standstill";
}

TEST(ForkAndJoin, IsWarnedOfByCheck) {
  const ScratchDir scratch;
  const ReelRun shallow = run_reel({"check", scratch.write("shallow.yaml", fork_of(11))});
  EXPECT_EQ(shallow.status, 0) << "a warning, no error: " << shallow.errors;
  EXPECT_THAT(shallow.errors, HasSubstr("shallow.yaml:8: stage 'pairs' joins"));
  EXPECT_THAT(shallow.errors, HasSubstr("Give stream 'numbers' 12 slots or more (it has 11)"));
  const ReelRun deep = run_reel({"check", scratch.write("deep.yaml", fork_of(12))});
  EXPECT_THAT(deep.errors, Not(HasSubstr("slots")));
}

TEST(Join, GoesOnWhenItsStageIsKilled) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: killed
stages:
  fast: {use: synthetic.source, options: {width: 64, height: 64, fps: 150, frames: 450}, out: fast}
  slow: {use: synthetic.source, options: {width: 64, height: 64, fps: 50, frames: 150}, out: slow}
  pairs: {use: synthetic.sets, in: [fast, slow], join: 1ms, restart_delay: 50ms}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("pairs", 20)) << pipeline.log();
  const pid_t pid = pipeline.wait_for_stage("pairs");
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_NE(pipeline.wait_for_stage("pairs", pid), 0);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto pairs = pipeline.stage_summary("pairs");
  EXPECT_EQ(pairs["restarts"], 1);
  // Every pair came: some once more, for the stage that takes its place reads on at what was being worked on.
  EXPECT_GE(pairs["inputs"][1]["frames"].get<int>(), 150) << pairs;
  EXPECT_LE(pairs["inputs"][1]["frames"].get<int>(), 154) << pairs;
  EXPECT_EQ(pairs["inputs"][1]["lapped"], 0) << pairs;
}

}  // namespace
}  // namespace reel_test
