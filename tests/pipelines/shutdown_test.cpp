#include "running_pipeline.hpp"

#include <csignal>
#include <cstring>

#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kEndless = R"(
version: 1
name: endless
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 200}, out: numbers}
  slow: {use: synthetic.verify, in: numbers, options: {delay_ms: 10}}
  newest: {use: synthetic.verify, in: {stream: numbers, policy: latest}}
)";

class Drain : public ::testing::TestWithParam<int> {};

TEST_P(Drain, LosesNoFrame) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kEndless);
  ASSERT_TRUE(pipeline.wait_for_frames("slow", 30)) << pipeline.reel().errors();
  pipeline.reel().signal(GetParam());
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.verdict("slow")["gaps"], 0);
  EXPECT_EQ(pipeline.verdict("slow")["frames"], pipeline.stage_summary("source")["outputs"][0]["frames"]);
  const nlohmann::json summary = pipeline.summary();
  for (const auto& stage : summary["stages"]) EXPECT_EQ(stage["state"], "finished") << stage;
}

INSTANTIATE_TEST_SUITE_P(Signals, Drain, ::testing::Values(SIGINT, SIGTERM, SIGHUP), [](const auto& signal) {
  return std::string("SIG") + ::sigabbrev_np(signal.param);
});

// One that hears no signal but the last.
std::string deaf(const std::string& timeout) {
  return "{version: 1, drain_timeout: " + timeout + ", stop_timeout: " + timeout + R"(,
stages: {
  deaf: {use: exec, options: {command: "trap '' INT TERM; echo ready >&2; while :; do sleep 1; done"}}}})";
}

TEST(Shutdown, KillsAStageThatDoesNotEnd) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(deaf("300ms"));
  ASSERT_TRUE(pipeline.wait_for_log("ready"));
  pipeline.reel().signal(SIGINT);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("deaf")["state"], "failed");
  EXPECT_THAT(pipeline.stage_summary("deaf")["reason"].get<std::string>(),
              HasSubstr("did not end when asked to"));
}

TEST(Shutdown, GivesUpAStageThatSurvivesItsKill) {
  TempRuntimeDir runtime;
  RunningPipeline pipeline(deaf("300ms"));
  ASSERT_TRUE(pipeline.wait_for_log("ready"));
  const pid_t host = pipeline.stage("deaf");
  // Its parent does not hear of the death of a traced process before its tracer does: for the supervisor it
  // is there as one is that sleeps in a driver.
  if (::ptrace(PTRACE_SEIZE, host, 0, 0) != 0) GTEST_SKIP() << "no process may be traced here";
  pipeline.reel().signal(SIGINT);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("deaf")["state"], "failed");
  EXPECT_THAT(pipeline.stage_summary("deaf")["reason"].get<std::string>(),
              HasSubstr("could not be killed: process " + std::to_string(host)));
  EXPECT_EQ(::waitpid(host, nullptr, __WALL), host);
}

TEST(Shutdown, IsHurriedByFurtherSignals) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(deaf("1h"), {"--verbose"});
  ASSERT_TRUE(pipeline.wait_for_log("ready"));
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait_for_log("draining"));
  // Further ones, until one comes late enough to be meant.
  const auto ask_until = [&](const std::string& text) {
    return wait_until([&] {
      pipeline.reel().signal(SIGINT);
      return wait_until([&] { return pipeline.reel().errors().find(text) != std::string::npos; },
                        std::chrono::seconds(1));
    });
  };
  EXPECT_TRUE(ask_until("deaf: stopping")) << pipeline.reel().errors();
  EXPECT_TRUE(ask_until("deaf: killing")) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.wait().code, 1);
}

TEST(Shutdown, IsNotHurriedByTheFirstSignalWhenItDrainsAlready) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(deaf("1h"), {"--duration", "0.5", "--verbose"});
  ASSERT_TRUE(pipeline.wait_for_log("deaf: draining"));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait_for_log("draining already; once more stops at once")) << pipeline.log();
  EXPECT_THAT(pipeline.log(), ::testing::Not(HasSubstr("deaf: stopping")));
  // Further ones, until one comes late enough to be meant.
  EXPECT_TRUE(wait_until([&] {
    pipeline.reel().signal(SIGINT);
    return wait_until([&] { return pipeline.log().find("hurrying") != std::string::npos; },
                      std::chrono::seconds(1));
  })) << pipeline.log();
  EXPECT_TRUE(wait_until([&] {
    pipeline.reel().signal(SIGINT);
    return wait_until([&] { return pipeline.log().find("was killed") != std::string::npos; },
                      std::chrono::seconds(1));
  })) << pipeline.log();
  (void)pipeline.wait();
}

TEST(Shutdown, DoesNotWaitForAReaderThatFailedForGood) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
drain_timeout: 1h
streams: {tone: {start_timeout: 1h}, loud: {start_timeout: 1h}}
stages:
  source: {use: synthetic.source, options: {rate: 48000, channels: 2, fps: 100}, out: tone}
  level: {use: audio.level, in: tone, out: loud}
  witness: {use: synthetic.verify, in: tone}
  broken: {use: exec, restart: never, in: {stream: loud, wait: true}, options: {command: "exit 2"}}
)");
  EXPECT_EQ(pipeline.wait().code, 1) << pipeline.log();
  EXPECT_EQ(pipeline.stage_summary("level")["state"], "finished");
  EXPECT_THAT(pipeline.log(), ::testing::Not(HasSubstr("starts without")));
}

TEST(Shutdown, TakesASignalThatIsDeliveredTwiceForOne) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kEndless, {"--set", "slow.delay_ms=50"});
  ASSERT_TRUE(pipeline.wait_for_frames("slow", 3)) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);  // as a terminal does, and a wrapper once more
  pipeline.reel().signal(SIGTERM);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_THAT(pipeline.reel().errors(), ::testing::Not(HasSubstr("hurrying")));
  EXPECT_EQ(pipeline.verdict("slow")["gaps"], 0);
}

TEST(Shutdown, StopsAReaderWhoseWriterFailedForGood) {
  const TempRuntimeDir runtime;
  // The reader would wait for its writer to come back for ever.
  RunningPipeline pipeline(R"(
version: 1
drain_timeout: 50s
stages:
  source: {use: synthetic.source, restart: never, options: {width: 64, height: 64, fps: 100}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.reel().errors();
  ASSERT_EQ(::kill(pipeline.stage("source"), SIGKILL), 0);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.summary()["failure"].get<std::string>(),
              HasSubstr("stage 'source': killed by signal 9"));
  EXPECT_EQ(pipeline.stage_summary("sink")["state"], "finished");
}

TEST(Shutdown, CountsEveryFrameThatAKilledSourceHasGiven) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, restart: never, options: {width: 64, height: 64, fps: 500}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 100)) << pipeline.log();
  ASSERT_EQ(::kill(pipeline.stage("source"), SIGKILL), 0);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["frames"],
            pipeline.stage_summary("sink")["inputs"][0]["frames"]);
}

TEST(Shutdown, DoesNotWaitForAStreamWhoseProgramEndedWithoutWritingIt) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
drain_timeout: 1h
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: a}
  mute: {use: exec, out: b, options: {command: "true"}}
  both: {use: test.collector, in: [a, b], out: told}
)",
                           {"--verbose"}, {{"REEL_PLUGIN_PATH", REEL_TEST_MODULES}});
  ASSERT_TRUE(pipeline.wait_for_log("mute: finished")) << pipeline.reel().errors();
  ASSERT_TRUE(pipeline.wait_for_frames("both", 20)) << pipeline.reel().errors();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.stage_summary("both")["state"], "finished");
  EXPECT_THAT(pipeline.reel().errors(), ::testing::Not(HasSubstr("both: told to stop")));
}

TEST(Shutdown, TakesEveryStageAlongWhenTheSupervisorIsKilled) {
  TempRuntimeDir runtime;
  runtime.allow_leftovers();  // whoever would sweep them is dead
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
  program: {use: exec, in: numbers, options: {command: "sleep 1000 & echo $! >pid; wait"}}
)");
  const pid_t source = pipeline.wait_for_stage("source");
  const pid_t sink = pipeline.wait_for_stage("sink");
  const pid_t program = pipeline.wait_for_stage("program");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.reel().errors();
  ASSERT_TRUE(wait_until([&] { return pipeline.scratch().read("pid").ends_with('\n'); }));
  const auto grandchild = static_cast<pid_t>(std::stol(pipeline.scratch().read("pid")));
  ASSERT_TRUE(process_alive(grandchild));
  pipeline.reel().signal(SIGKILL);
  EXPECT_EQ(pipeline.wait().signal, SIGKILL);
  for (const pid_t pid : {source, sink, program, grandchild})
    EXPECT_TRUE(wait_until([&] { return !process_alive(pid); })) << pid;
}

TEST(Shutdown, LeavesNothingOfKilledStagesBehind) {
  const TempRuntimeDir runtime;  // which fails the test when something is left
  const std::string stream = unique_name("numbers");
  RunningPipeline pipeline(
      "version: 1\n"
      "streams: {" +
      stream +
      ": {memory: posix}}\n"
      "stages:\n"
      "  source: {use: synthetic.source, restart: never, options: {width: 64, height: 64, fps: 100}, out: " +
      stream +
      "}\n"
      "  sink: {use: synthetic.verify, in: " +
      stream + "}\n");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.reel().errors();
  EXPECT_FALSE(runtime.entries().empty());
  ASSERT_EQ(::kill(pipeline.stage("source"), SIGKILL), 0);
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(shm_entries("." + stream + "."), ::testing::IsEmpty());
}

}  // namespace
}  // namespace reel_test
