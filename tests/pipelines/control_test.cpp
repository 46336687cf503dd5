// Running pipelines steered from outside: seen, restarted, changed and stopped, while frames flow.
#include "running_pipeline.hpp"

#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/pipeline/control.hpp>

namespace reel_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kChain = R"(
version: 1
name: chain
stages:
  source: {use: synthetic.source, options: {rate: 48000, channels: 2, fps: 200}, out: raw}
  level: {use: audio.level, in: raw, out: loud}
  check: {use: synthetic.verify, in: loud, options: {pattern: none}}
)";
constexpr const char* kWitness = "  witness: {use: synthetic.verify, in: raw}\n";

std::map<std::string, pid_t> pids_of(const RunningPipeline& pipeline,
                                     const std::vector<std::string>& stages) {
  std::map<std::string, pid_t> pids;
  for (const std::string& stage : stages) pids[stage] = pipeline.wait_for_stage(stage);
  return pids;
}

std::string write_file(const RunningPipeline& pipeline, const std::string& text) {
  return pipeline.scratch().write("changed.yaml", text);
}

void expect_nothing_lost(const RunningPipeline& pipeline, const std::string& stage) {
  const auto verdict = pipeline.verdict(stage);
  EXPECT_EQ(verdict["gaps"], 0) << stage << pipeline.log();
  EXPECT_EQ(verdict["duplicates"], 0) << stage;
  EXPECT_EQ(verdict["corrupted"], 0) << stage;
  EXPECT_EQ(verdict["skipped"], 0) << stage;
}

void end(RunningPipeline& pipeline) {
  reel::PipelineControl("chain").stop();
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(Control, TellsWhatRuns) {
  const TempRuntimeDir runtime;
  EXPECT_THAT(reel::list_pipelines(), IsEmpty());
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 20)) << pipeline.log();
  EXPECT_THAT(reel::list_pipelines(), ElementsAre("chain"));
  const reel::PipelineStatus status = reel::PipelineControl("chain").status();
  EXPECT_EQ(status.pid, static_cast<std::uint32_t>(pipeline.reel().pid()));
  EXPECT_FALSE(status.draining);
  EXPECT_THAT(status.stages, ElementsAre("source", "level", "check"));
  ASSERT_EQ(status.streams.size(), 2U);
  EXPECT_EQ(status.streams[0].stream, "loud");
  EXPECT_EQ(status.streams[0].writer, "level");
  EXPECT_THAT(status.streams[0].readers, ElementsAre("check"));
  ASSERT_EQ(status.report.stages.size(), 3U);
  EXPECT_EQ(status.report.stages[1].state, "running");
  EXPECT_GE(status.report.stages[1].inputs.at(0).frames, 20U);
  EXPECT_GT(status.report.stages[1].memory_bytes, 0U);
  end(pipeline);
  EXPECT_THAT(reel::list_pipelines(), IsEmpty());
  expect_error(reel::ErrorCode::not_found, {"no pipeline \"chain\" runs", runtime.path()},
               [] { (void)reel::PipelineControl("chain"); });
}

TEST(Control, RestartsAStageWhoseNeighboursNoticeNothing) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(std::string(kChain) + kWitness);
  const auto before = pids_of(pipeline, {"source", "level", "check", "witness"});
  long frames = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pipeline.wait_for_frames("check", frames += 50)) << pipeline.log();
    const pid_t old = pipeline.wait_for_stage("level");
    reel::PipelineControl("chain").restart("level");
    EXPECT_NE(pipeline.wait_for_stage("level", old), old);
  }
  ASSERT_TRUE(pipeline.wait_for_frames("check", frames + 50)) << pipeline.log();
  for (const char* other : {"source", "check", "witness"})
    EXPECT_EQ(pipeline.stage(other), before.at(other)) << other;
  end(pipeline);
  EXPECT_EQ(pipeline.stage_summary("level")["restarts"], 3);
  expect_nothing_lost(pipeline, "check");
  expect_nothing_lost(pipeline, "witness");
  EXPECT_EQ(pipeline.verdict("check")["frames"], pipeline.stage_summary("source")["outputs"][0]["frames"])
      << pipeline.summary().dump(1);
}

TEST(Control, RestartsASourceWithoutAnEndOfItsStream) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 20)) << pipeline.log();
  const pid_t old = pipeline.wait_for_stage("source");
  const pid_t level = pipeline.wait_for_stage("level");
  reel::PipelineControl("chain").restart("source");
  (void)pipeline.wait_for_stage("source", old);
  const long seen = pipeline.frames("check");
  ASSERT_TRUE(pipeline.wait_for_frames("check", seen + 100)) << pipeline.log();
  EXPECT_EQ(pipeline.stage("level"), level);
  end(pipeline);
}

TEST(Control, RefusesToRestartWhatIsNotThere) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  expect_error(reel::ErrorCode::not_found, {"no stage \"levl\"", "did you mean \"level\"?"},
               [] { reel::PipelineControl("chain").restart("levl"); });
  end(pipeline);
}

TEST(Control, AppliesAStageMoreWithoutTouchingTheOthers) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 50)) << pipeline.log();
  const auto before = pids_of(pipeline, {"source", "level", "check"});
  const std::string file = write_file(pipeline, std::string(kChain) + kWitness);
  reel::PipelineControl control("chain");
  EXPECT_THAT(control.apply(file), ElementsAre("witness: added"));
  ASSERT_TRUE(pipeline.wait_for_frames("witness", 100)) << pipeline.log();
  EXPECT_THAT(control.apply(file), IsEmpty()) << "nothing differs any more";
  EXPECT_THAT(control.status().stages, UnorderedElementsAre("source", "level", "check", "witness"));
  EXPECT_EQ(control.status().file, file);
  EXPECT_EQ(pids_of(pipeline, {"source", "level", "check"}), before);
  end(pipeline);
  for (const char* stage : {"source", "level", "check", "witness"})
    EXPECT_EQ(pipeline.stage_summary(stage)["restarts"], 0) << stage;
  expect_nothing_lost(pipeline, "check");
  expect_nothing_lost(pipeline, "witness");
  EXPECT_EQ(pipeline.verdict("check")["frames"], pipeline.stage_summary("source")["outputs"][0]["frames"]);
}

TEST(Control, TakesAStageOutAndRestartsWhatDiffers) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(std::string(kChain) + kWitness);
  ASSERT_TRUE(pipeline.wait_for_frames("witness", 50)) << pipeline.log();
  const auto before = pids_of(pipeline, {"source", "level", "check", "witness"});
  std::string changed = kChain;
  changed.replace(changed.find("in: raw, out: loud"), 18, "in: raw, nice: 5, out: loud");
  reel::PipelineControl control("chain");
  EXPECT_THAT(control.apply(write_file(pipeline, changed)),
              ElementsAre("witness: taken out", "level: restarted: its processors changed"));
  (void)pipeline.wait_for_stage("level", before.at("level"));
  EXPECT_TRUE(wait_until([&] { return pipeline.stage("witness") == 0; })) << pipeline.log();
  const long seen = pipeline.frames("check");
  ASSERT_TRUE(pipeline.wait_for_frames("check", seen + 100)) << pipeline.log();
  EXPECT_EQ(pipeline.stage("source"), before.at("source"));
  EXPECT_EQ(pipeline.stage("check"), before.at("check"));
  end(pipeline);
  expect_nothing_lost(pipeline, "check");
  expect_nothing_lost(pipeline, "witness");
  EXPECT_EQ(pipeline.verdict("check")["frames"], pipeline.stage_summary("source")["outputs"][0]["frames"]);
}

TEST(Control, AppliesNothingOfAFileThatIsWrong) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  const auto before = pids_of(pipeline, {"source", "level", "check"});
  reel::PipelineControl control("chain");
  const std::string wrong =
      write_file(pipeline, std::string(kChain) + "  more: {use: synthetic.verify, in: no-such-stream}\n");
  expect_error(reel::ErrorCode::bad_config, {"changed.yaml", "no-such-stream"},
               [&] { (void)control.apply(wrong); });
  std::string other = kChain;
  other.replace(other.find("name: chain"), 11, "name: other");
  expect_error(reel::ErrorCode::bad_config, {"\"other\"", "\"chain\"", "one pipeline cannot become another"},
               [&] { (void)control.apply(write_file(pipeline, other)); });
  EXPECT_EQ(pids_of(pipeline, {"source", "level", "check"}), before);
  end(pipeline);
}

TEST(Control, HandsItsLogToWhoeverAsksAndFollows) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  ChildProcess follower = ChildProcess::program(reel_command(), {"logs", "chain", "--follow", "--json"});
  EXPECT_NE(follower.wait_for_line("{"), "") << follower.errors();
  end(pipeline);
  EXPECT_TRUE(follower.wait().ok()) << follower.errors();
  EXPECT_THAT(follower.output(), HasSubstr("`reel stop`: draining"));
  EXPECT_THAT(follower.output(), HasSubstr("\"stage\":\"check\",\"message\":\"finished\""));
}

TEST(Control, HasOnePipelineOfAName) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  RunningPipeline second("version: 1\nname: chain\nstages:\n  alone: {use: synthetic.source, out: alone}\n");
  EXPECT_EQ(second.wait().code, 1);
  EXPECT_THAT(second.log(), HasSubstr("a pipeline \"chain\" runs already, supervised by process " +
                                      std::to_string(pipeline.reel().pid())));
  end(pipeline);
}

TEST(Control, OfAKilledSupervisorNothingIsInTheWayOfTheNext) {
  const TempRuntimeDir runtime;
  {
    RunningPipeline pipeline(kChain);
    ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
    pipeline.reel().signal(SIGKILL);
    (void)pipeline.wait();
  }
  EXPECT_THAT(reel::list_pipelines(), IsEmpty());
  RunningPipeline pipeline(kChain);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  end(pipeline);
}

TEST(Control, AStageThatHangsIsKilledAndRestartedByItsHangTimeout) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: chain
plugin_path: [)" REEL_TEST_MODULES R"(]
stages:
  source: {use: synthetic.source, options: {rate: 48000, channels: 2, fps: 100}, out: raw}
  witness: {use: synthetic.verify, in: raw}
  hanging: {use: test.hanging, hang_timeout: 300ms, restart_delay: 50ms, restart_limit: 1000, in: {stream: raw, policy: queue}}
)");
  ASSERT_TRUE(pipeline.wait_for_log("hanging: hangs: at work on one frame for")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_log("hanging: backing off: killed by signal 9")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_frames("hanging", 10))
      << "it came back, and took as many again" << pipeline.log();
  reel::PipelineControl("chain").stop();
  (void)pipeline.wait();  // it hangs to the end, perhaps
  EXPECT_GE(pipeline.stage_summary("hanging")["restarts"], 1);
  expect_nothing_lost(pipeline, "witness");
}

}  // namespace
}  // namespace reel_test
