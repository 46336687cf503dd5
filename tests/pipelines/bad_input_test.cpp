// What stops `reel run` and `reel check` before anything has started.
#include "running_pipeline.hpp"

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <sys/stat.h>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFine = "{version: 1, stages: {a: {use: exec, options: {command: 'true'}}}}";

TEST(BadInput, EndsRunWithStatusTwoAndTheLine) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline("version: 1\nstages:\n  a: {use: synthetic.sorce}\n");
  EXPECT_EQ(pipeline.wait().code, 2);
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr("pipeline.yaml:3: stage 'a'"));
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr("synthetic.source"));
}

TEST(BadInput, IsToldByCheckAsWell) {
  const ScratchDir scratch;
  const ReelRun bad =
      run_reel({"check", scratch.write("a.yaml", "version: 1\nstages:\n  a: {use: exec, nice: 99}\n")});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.errors, HasSubstr("a.yaml:3: 'nice' of stage 'a'"));
  EXPECT_EQ(run_reel({"check", scratch.path() + "/none.yaml"}).status, 2);
  EXPECT_EQ(run_reel({"check", scratch.path()}).status, 2);
  EXPECT_EQ(run_reel({"check"}).status, 2);
}

/// A second pipeline's readers would otherwise read the first one's streams, and hold it up.
TEST(BadInput, IsAStreamThatAnotherPipelineWrites) {
  const TempRuntimeDir runtime;
  const char* const text =
      "version: 1\nstages:\n  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, "
      "out: one}\n"
      "  check: {use: synthetic.verify, in: one}\n";
  RunningPipeline first(text);
  ASSERT_TRUE(first.wait_for_frames("check", 1));
  RunningPipeline second(text);
  EXPECT_EQ(second.wait().code, 1);
  EXPECT_THAT(second.reel().errors(), HasSubstr("stream \"one\" is already written by process "));
  EXPECT_THAT(second.log(), ::testing::Not(HasSubstr("backing off"))) << "no stage was started";
  first.reel().signal(SIGINT);
  EXPECT_TRUE(first.wait().ok()) << first.reel().errors();
  EXPECT_EQ(first.verdict("check")["gaps"], 0);
}

TEST(BadInput, OfAnotherMachineIsAWarningOfCheck) {
  const ScratchDir scratch;
  const ReelRun outcome =
      run_reel({"check", scratch.write("a.yaml",
                                       "version: 1\nstages:\n"
                                       "  a: {use: exec, cpus: [0, 1023], options: {command: 'true'}}\n"
                                       "  b: {use: exec, options: {command: [no-such-program, x]}}\n"
                                       "  c: {use: exec, options: {command: [sh, -c, 'true']}}\n")});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors,
              HasSubstr("reel: warning: " + scratch.path() + "/a.yaml:3: 'cpus' of stage 'a'"));
  EXPECT_THAT(outcome.errors,
              HasSubstr("a.yaml:4: there is no program 'no-such-program' to run as stage 'b'"));
  EXPECT_THAT(outcome.errors, ::testing::Not(HasSubstr("'c'")));
  EXPECT_THAT(outcome.output, HasSubstr("3 stages, 0 streams: fine"));
}

TEST(BadInput, IsSeenInWhatSetSays) {
  const ScratchDir scratch;
  const std::string file = scratch.write("a.yaml", kFine);
  EXPECT_EQ(run_reel({"check", file, "--set", "stages.a.nice=3"}).status, 0);
  const ReelRun bad = run_reel({"check", file, "--set", "stages.a.nice=3", "--set", "b.c=d"});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.errors, HasSubstr("--set b.c=d: there is no stage 'b'"));
}

TEST(BadInput, IncludesADurationThatIsNone) {
  const ScratchDir scratch;
  const std::string file = scratch.write("a.yaml", kFine);
  for (const std::string duration : {"0", "-1", "soon"}) {
    const ReelRun bad = run_reel({"run", file, "--duration", duration});
    EXPECT_EQ(bad.status, 2);
    EXPECT_THAT(bad.errors,
                HasSubstr("reel: run: --duration: '" + duration + "' is no number of seconds from"));
  }
}

TEST(BadInput, IncludesASummaryThatCannotBeWritten) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const ReelRun bad =
      run_reel({"run", scratch.write("a.yaml", kFine), "--summary-json", "/no/such/directory/x.json"});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.errors, HasSubstr("/no/such/directory/x.json"));
}

TEST(BadInput, IncludesAMissingStageHost) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kFine, {}, {{"REEL_STAGE_HOST", "/no/such/host"}});
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr("/no/such/host"));
}

TEST(BadInput, IncludesARuntimeDirectoryThatOthersMayWrite) {
  const TempRuntimeDir runtime;
  ASSERT_EQ(::chmod(runtime.path().c_str(), 0777), 0);
  RunningPipeline pipeline(kFine);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr(runtime.path()));
}

constexpr const char* kModules = REEL_TEST_MODULES;

TEST(BadInput, IncludesPluginsThatAreNoneOfThisReel) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string text = std::string("version: 1\nname: broken\nplugin_path: [") + kModules +
                           "]\nstages:\n  old: {use: test.wrong_abi}\n  bare: {use: test.no_symbol}\n";
  const std::string file = scratch.write("pipeline.yaml", text);
  for (const char* command : {"check", "run"}) {
    const ReelRun run = run_reel({command, file});
    EXPECT_EQ(run.status, 2) << command;
    EXPECT_THAT(run.errors, HasSubstr("pipeline.yaml:5: stage 'old': "));
    EXPECT_THAT(run.errors, HasSubstr("is a plugin of ABI 999, this Reel loads ABI "));
    EXPECT_THAT(run.errors, HasSubstr("build it with this Reel's headers"));
    EXPECT_THAT(run.errors, HasSubstr("pipeline.yaml:6: stage 'bare': "));
    EXPECT_THAT(run.errors, HasSubstr("no function reel_plugin(); declare its stage with REEL_STAGE"));
  }
}

TEST(BadInput, IncludesAPluginWhoseConstructorThrows) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string text = std::string("version: 1\nname: broken\nplugin_path: [") + kModules +
                           "]\nstages:\n  thrower: {use: test.bad_constructor, restart: never}\n";
  const ReelRun run = run_reel({"run", scratch.write("pipeline.yaml", text)});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("thrower: no constructor today"));
  EXPECT_THAT(run.output, HasSubstr("the constructor of test.bad_constructor failed"));
}

}  // namespace
}  // namespace reel_test
