#include "running_pipeline.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

TEST(Exec, TellsTheProgramItsStreams) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, frames: 5}, out: one.x}
  tool:
    use: exec
    in: {left-hand: one.x}
    out: two
    environment: {EXTRA: "some text"}
    options: {command: 'echo "$REEL_STAGE|$REEL_IN|$REEL_OUT|$REEL_IN_LEFT_HAND|$REEL_OUT_OUT|$REEL_READER|$EXTRA"'}
)");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_THAT(pipeline.reel().output(), HasSubstr("tool|one.x|two|one.x|two|pipeline/tool|some text\n"));
}

TEST(Exec, RunsInTheDirectoryOfTheFile) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: exec, options: {command: [sh, -c, 'echo hello >here']}}}}");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.scratch().read("here"), "hello\n");
}

TEST(Exec, EndsWellWhenItsProgramDiesOfTheSignalItWasSent) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: exec, options: {command: 'echo up >&2; exec sleep 1000'}}}}");
  ASSERT_TRUE(pipeline.wait_for_log("up"));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
}

TEST(Exec, IsWaitedForByTheWriterWhoseStreamItReads) {
  const TempRuntimeDir runtime;
  // Unpaced: without the wait every frame is gone before the program runs.
  RunningPipeline pipeline(R"(
version: 1
streams: {numbers: {start_timeout: 1h}}
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 0, frames: 200}, out: numbers}
  tool:
    use: exec
    in: {stream: numbers, wait: true}
    restart_delay: 50ms
    restart_limit: 1000
    options: {command: [")" REEL_COMMAND
                           R"(", verify, "numbers", --frames, "200", --policy, lossless]}
)");
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["frames"], 200);
  EXPECT_EQ(pipeline.stage_summary("tool")["state"], "finished") << pipeline.reel().output();
}

TEST(Exec, HasReelItselfReadAStream) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100, frames: 0}, out: numbers}
  tool: {use: exec, in: numbers, options: {command: [")" REEL_COMMAND
                           R"(", verify, "numbers", --frames, "20"]}}
)");
  ASSERT_TRUE(pipeline.wait_for_log("finished")) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.stage_summary("tool")["state"], "finished");
}

}  // namespace
}  // namespace reel_test
