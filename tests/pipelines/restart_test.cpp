#include "running_pipeline.hpp"

#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

// A source with an untouched reader; beside it a filter and its sink.
constexpr const char* kSound = R"(
version: 1
name: sound
stages:
  source: {use: synthetic.source, options: {rate: 48000, channels: 2, fps: 200}, out: raw}
  witness: {use: synthetic.verify, in: raw}
  filter: {use: audio.level, in: {stream: raw, policy: queue}, out: loud, restart_delay: 50ms}
  sink: {use: synthetic.verify, in: loud, options: {pattern: none}, restart_delay: 50ms}
)";

std::map<std::string, pid_t> all_stages(const RunningPipeline& pipeline) {
  std::map<std::string, pid_t> pids;
  for (const char* name : {"source", "witness", "filter", "sink"}) pids[name] = pipeline.wait_for_stage(name);
  return pids;
}

TEST(Restart, BringsAKilledStageBackAndTouchesNoOther) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kSound);
  std::map<std::string, pid_t> pids = all_stages(pipeline);
  long frames = 0;
  for (const char* killed : {"filter", "sink", "filter"}) {
    ASSERT_TRUE(pipeline.wait_for_frames("sink", frames += 20)) << pipeline.reel().errors();
    ASSERT_EQ(::kill(pids[killed], SIGKILL), 0);
    pids[killed] = pipeline.wait_for_stage(killed, pids[killed]);
    EXPECT_EQ(all_stages(pipeline), pids);
  }
  ASSERT_TRUE(pipeline.wait_for_frames("sink", frames + 100)) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.stage_summary("filter")["restarts"], 2);
  EXPECT_EQ(pipeline.stage_summary("sink")["restarts"], 1);
  EXPECT_EQ(pipeline.stage_summary("source")["restarts"], 0);
  const auto witness = pipeline.verdict("witness");
  EXPECT_EQ(witness["gaps"], 0);
  EXPECT_EQ(witness["corrupted"], 0);
  EXPECT_EQ(witness["duplicates"], 0);
  EXPECT_EQ(witness["frames"], pipeline.stage_summary("source")["outputs"][0]["frames"]);
}

TEST(Restart, BringsAKilledSourceBackToItsReaders) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kSound);
  std::map<std::string, pid_t> pids = all_stages(pipeline);
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 20)) << pipeline.reel().errors();
  ASSERT_EQ(::kill(pids["source"], SIGKILL), 0);
  pids["source"] = pipeline.wait_for_stage("source", pids["source"]);
  const long frames = pipeline.frames("sink");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", frames + 300)) << pipeline.reel().errors();
  EXPECT_EQ(all_stages(pipeline), pids);
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.verdict("witness")["corrupted"], 0);
  EXPECT_EQ(pipeline.verdict("witness")["restarts"], 1);
}

TEST(Restart, GoesOnWhereALosslessReaderWas) {
  const TempRuntimeDir runtime;
  // Slow, and with room: what is published while the reader is away is still there when it is back.
  RunningPipeline pipeline(R"(
version: 1
streams: {numbers: {slots: 64}}
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 5}, out: numbers}
  sink: {use: synthetic.verify, in: numbers, restart_delay: 1s}
)");
  const pid_t before = pipeline.wait_for_stage("sink");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 5)) << pipeline.reel().errors();
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  const long frames = pipeline.frames("source");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", frames + 15)) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const int given = pipeline.stage_summary("source")["outputs"][0]["frames"];
  // The one it held when it was killed may be missing.
  EXPECT_GE(pipeline.stage_summary("sink")["inputs"][0]["frames"].get<int>(), given - 1);
  EXPECT_EQ(pipeline.verdict("sink")["gaps"], 0);
}

TEST(Restart, OfAStageWithTwoInputsDoesNotWaitForTheOneThatIsOver) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
drain_timeout: 1h
stages:
  long: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: a}
  short: {use: synthetic.source, options: {rate: 48000, channels: 1, fps: 100, frames: 20}, out: b}
  both: {use: test.collector, in: [a, b], out: told, restart_delay: 10ms}
)",
                           {"--verbose"}, {{"REEL_PLUGIN_PATH", REEL_TEST_MODULES}});
  ASSERT_TRUE(pipeline.wait_for_log("short: finished")) << pipeline.reel().errors();
  const pid_t before = pipeline.wait_for_stage("both");
  const long frames = pipeline.frames("long");
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  static_cast<void>(pipeline.wait_for_stage("both", before));
  ASSERT_TRUE(pipeline.wait_for_frames("both", frames + 30)) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.stage_summary("both")["state"], "finished");
  EXPECT_THAT(pipeline.reel().errors(), ::testing::Not(HasSubstr("told to stop"))) << "nor is it terminated";
}

TEST(Restart, EndsThePipelineWithStatusOneOnceTheLimitIsReached) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
  bad: {use: exec, options: {command: "exit 3"}, restart_limit: 2, restart_delay: 10ms}
)");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("bad")["restarts"], 2);
  EXPECT_EQ(pipeline.stage_summary("bad")["state"], "failed");
  EXPECT_THAT(pipeline.summary()["failure"].get<std::string>(),
              HasSubstr("stage 'bad': exit status 3; its limit of 2"));
  EXPECT_THAT(pipeline.reel().output(), HasSubstr("failed: stage 'bad'"));
  EXPECT_EQ(pipeline.stage_summary("sink")["state"], "finished");
  EXPECT_EQ(pipeline.verdict("sink")["gaps"], 0);
}

TEST(Restart, DoesNotHappenWhenTheFileSaysNever) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: exec, restart: never, options: {command: exit 1}}}}");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 0);
}

TEST(Restart, DoesNotHappenAfterABadConfiguration) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline("{version: 1, stages: {a: {use: exec, options: {command: [/no/such/program]}}}}");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 0);
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr("/no/such/program"));
}

TEST(Restart, DoesNotHappenWhenAStreamRefusesItsReader) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {rate: 48000, channels: 1, fps: 100}, out: sound}
  sink: {use: synthetic.verify, in: {stream: sound, policy: latest}}
)");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("sink")["restarts"], 0);
  const std::string failure = pipeline.summary()["failure"];
  EXPECT_THAT(failure, ::testing::StartsWith("stage 'sink': exit status 2: "));
  EXPECT_THAT(failure, HasSubstr("policy latest would cut holes")) << "what it said itself";
  EXPECT_THAT(pipeline.reel().output(), HasSubstr("failed: " + failure));
}

TEST(Restart, HappensAlwaysWhenTheFileSaysSo) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"({version: 1, stages: {a: {use: exec, restart: always, restart_limit: 3,
    restart_delay: 10ms, options: {command: echo again}}}})");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 3);
}

}  // namespace
}  // namespace reel_test
