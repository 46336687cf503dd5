// A stage in gdb, or run by another program: `reel run --gdb STAGE` and `--wrap STAGE=COMMAND`.
#include "running_pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/pipeline/control.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Nothing in it has any patience with the stage that stands still.
constexpr const char* kHasty = R"(
version: 1
name: hasty
drain_timeout: 300ms
streams: {numbers: {start_timeout: 300ms, stall_timeout: 300ms}}
stages:
  source: {use: synthetic.source, options: {format: GRAY8, width: 64, height: 48, fps: 0, frames: 40}, out: numbers}
  check: {use: synthetic.verify, in: numbers, hang_timeout: 300ms, restart: never}
)";
constexpr auto kLongerThanThat = std::chrono::milliseconds(1500);

constexpr const char* kEndless = R"(
version: 1
name: endless
stages:
  source: {use: synthetic.source, options: {format: GRAY8, width: 64, height: 48, fps: 100}, out: numbers}
  check: {use: synthetic.verify, in: numbers, restart: never}
)";

void expect_all_frames(RunningPipeline& pipeline) {
  const nlohmann::json verdict = pipeline.verdict("check");
  ASSERT_TRUE(verdict.is_object()) << pipeline.log();
  EXPECT_EQ(verdict.at("verified"), 40) << verdict.dump();
  EXPECT_EQ(verdict.at("gaps"), 0) << verdict.dump();
  EXPECT_EQ(pipeline.stage_summary("check").at("restarts"), 0);
}

// A leak checker would stop a process at its end that gdb is still attached to: two cannot.
std::string without_leak_check() {
  const char* given = std::getenv("ASAN_OPTIONS");
  return std::string(given != nullptr ? given : "") + ":detect_leaks=0";
}

TEST(Debugger, StopsAStageInItsPluginAndLetsItGoOn) {
  REEL_NEEDS(missing_programs({"gdb"}));
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      kHasty,
      {"--gdb", "check", "--gdb-ex", "break Verify::process", "--gdb-ex", "continue", "--gdb-ex", "bt",
       "--gdb-ex", "shell sleep 1.5", "--gdb-ex", "delete", "--gdb-ex", "continue"},
      {{"ASAN_OPTIONS", without_leak_check()}});
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("Breakpoint 1, "));
  EXPECT_THAT(pipeline.log(), ::testing::ContainsRegex("#0 .*process"));
  EXPECT_THAT(pipeline.log(), HasSubstr("reel::run_stage"));
  EXPECT_THAT(pipeline.log(), Not(HasSubstr("hangs")));
  expect_all_frames(pipeline);
}

TEST(Debugger, IsWaitedForWithWhatToTypeWhereThereIsNoTerminal) {
  REEL_NEEDS(missing_programs({"gdb"}));
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHasty, {"--gdb", "check"});
  const pid_t stage = pipeline.wait_for_stage("check");
  const std::string number = std::to_string(stage);
  ASSERT_TRUE(pipeline.wait_for_log("waits for a debugger: gdb -p " + number + " -ex"));
  std::this_thread::sleep_for(kLongerThanThat);
  auto gdb = ChildProcess::program(
      "gdb", {"-q", "-batch", "-p", number, "-ex", "set breakpoint pending on", "-ex",
              "break Verify::process", "-ex", "continue", "-ex", "bt", "-ex", "detach"});
  EXPECT_TRUE(gdb.wait().ok()) << gdb.errors();
  EXPECT_THAT(gdb.output(), HasSubstr("Verify::process"));
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  expect_all_frames(pipeline);
}

TEST(Debugger, NeedNotComeForThePipelineToEnd) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kEndless, {"--gdb", "check"});
  ASSERT_TRUE(pipeline.wait_for_log("waits for a debugger"));
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait_for_log("draining; once more stops at once")) << pipeline.log();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // two signals at once are one
  pipeline.reel().signal(SIGINT);
  EXPECT_FALSE(pipeline.wait().timed_out) << pipeline.log();
}

// Whether `is(pid)` is true of `pid` or of any process that it has started.
template <typename Is>
bool any_process(pid_t pid, Is&& is) {
  if (is(pid)) return true;
  const std::string text = std::to_string(pid);
  std::ifstream children("/proc/" + text + "/task/" + text + "/children");
  for (pid_t child = 0; children >> child;)
    if (any_process(child, is)) return true;
  return false;
}

// What /proc/PID/status says of `field`, without the blanks before it.
std::string status_of(pid_t pid, const std::string& field) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return line.substr(std::min(line.size(), field.size() + 2));
  return "";
}

bool goes_on_in_gdb(pid_t pid) {
  const std::string tracer = status_of(pid, "TracerPid");
  return !tracer.empty() && tracer != "0" && !status_of(pid, "State").starts_with("t");
}

// Whether `pid` is `reel` and in the foreground: while gdb is there, gdb is.
bool has_its_terminal_as_reel(pid_t pid) {
  if (read_file("/proc/" + std::to_string(pid) + "/comm") != "reel\n") return false;
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string state, parent, group, session, terminal, foreground;
  fields >> state >> parent >> group >> session >> terminal >> foreground;
  return terminal != "0" && group == foreground;
}

TEST(Debugger, HasTheTerminalUntilItIsLeft) {
  REEL_NEEDS(missing_programs({"gdb"}));
  if (!has_terminals()) GTEST_SKIP() << "no pseudo-terminals here: /dev/pts is not mounted";
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  auto terminal = ChildProcess::in_terminal(
      reel_command(), {"run", scratch.write("endless.yaml", kEndless), "--gdb", "check"}, {{"TERM", "dumb"}});
  ASSERT_TRUE(terminal.shows("(gdb)")) << terminal.output();
  terminal.send("break Verify::process");
  terminal.send("continue");
  ASSERT_TRUE(terminal.shows("Breakpoint 1, ")) << terminal.output();
  terminal.send("delete 1");
  terminal.send("continue");
  ASSERT_TRUE(terminal.shows("Continuing.")) << terminal.output();
  ASSERT_TRUE(wait_until([&] { return any_process(terminal.pid(), goes_on_in_gdb); })) << terminal.output();
  // Ctrl-C is gdb's, not the pipeline's. (An empty line would have gdb continue again.)
  terminal.send("\x03print 6 * 7");
  ASSERT_TRUE(terminal.shows("(gdb)")) << terminal.output();
  ASSERT_TRUE(terminal.shows("= 42")) << terminal.output();
  EXPECT_THAT(terminal.output(), Not(HasSubstr("draining")));
  terminal.send("detach");
  ASSERT_TRUE(terminal.shows("[Inferior 1") && terminal.shows("(gdb)")) << terminal.output();
  terminal.send("quit");
  ASSERT_TRUE(wait_until([&] { return has_its_terminal_as_reel(terminal.pid()); })) << terminal.output();
  terminal.send("\x03");  // now the pipeline's
  const ExitStatus ended = terminal.wait();
  EXPECT_TRUE(ended.ok()) << ended << '\n' << terminal.output();
  EXPECT_THAT(terminal.output(), HasSubstr("draining; once more stops at once"));
}

// One that does not want to end is ended in its own time: the pipeline does not wait for it.
TEST(Debugger, IsEndedWithoutThePipelineStandingStill) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string started = scratch.file("started");
  const std::string gdb = scratch.write(
      "gdb", "#!/bin/sh\ntrap '' TERM\necho $$ >>" + started + "\nwhile :; do sleep 0.1; done\n");
  ASSERT_EQ(::chmod(gdb.c_str(), 0700), 0);
  RunningPipeline pipeline(kEndless, {"--gdb", "check", "--gdb-ex", "continue"},
                           {{"PATH", scratch.path() + ":" + std::getenv("PATH")}});
  ASSERT_TRUE(wait_until([&] { return !read_file(started).empty(); })) << pipeline.log();
  const auto first = static_cast<pid_t>(std::stol(read_file(started)));
  const pid_t before = pipeline.wait_for_stage("check");
  reel::PipelineControl control("endless");
  control.restart("check");
  ::kill(before, SIGKILL);
  (void)pipeline.wait_for_stage("check", before);
  EXPECT_EQ(control.status().report.stages.size(), 2u);
  EXPECT_TRUE(process_alive(first)) << "it was waited for";
  EXPECT_TRUE(wait_until([&] { return !process_alive(first); }));
  std::string pids;
  EXPECT_TRUE(wait_until([&] {
    pids = read_file(started);
    return std::count(pids.begin(), pids.end(), '\n') == 2;
  })) << "the next one comes then";
  ::kill(static_cast<pid_t>(std::stol(pids.substr(pids.find('\n')))), SIGKILL);
  pipeline.reel().signal(SIGINT);
  EXPECT_FALSE(pipeline.wait().timed_out) << pipeline.log();
}

TEST(Debugger, IsNamedWithItsPackageWhereItIsNotInstalled) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  RunningPipeline pipeline(kHasty, {"--gdb", "check", "--gdb-ex", "continue"}, {{"PATH", scratch.path()}});
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(),
              HasSubstr("--gdb: the program gdb is not here: install it (Debian: apt-get install gdb)"));
}

TEST(Debugger, IsForStagesOfThePipelineThatAreOurs) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string file =
      scratch.write("a.yaml", "{version: 1, stages: {a: {use: exec, options: {command: 'true'}}}}");
  const ReelRun none = run_reel({"run", file, "--gdb", "b"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.errors, HasSubstr("there is no stage \"b\" to debug but a"));
  const ReelRun program = run_reel({"run", file, "--gdb", "a"});
  EXPECT_EQ(program.status, 2);
  EXPECT_THAT(program.errors, HasSubstr("is a program of its own (use: exec)"));
}

TEST(Wrapper, RunsAStagesProcess) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHasty, {"--wrap", "check=env REEL_LOOK=wrapped nice -n 1"});
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
  expect_all_frames(pipeline);
  RunningPipeline endless(kEndless, {"--wrap", "check=env REEL_LOOK=wrapped"});
  const pid_t stage = endless.wait_for_stage("check");
  EXPECT_TRUE(wait_until([&] {
    return read_file("/proc/" + std::to_string(stage) + "/environ").find("REEL_LOOK=wrapped") !=
           std::string::npos;
  }));
  EXPECT_EQ(
      read_file("/proc/" + std::to_string(endless.wait_for_stage("source")) + "/environ").find("REEL_LOOK"),
      std::string::npos);
  endless.reel().signal(SIGINT);
  EXPECT_TRUE(endless.wait().ok()) << endless.log();
}

TEST(Wrapper, IsRefusedWhereItMakesNoSense) {
  const ScratchDir scratch;
  const std::string file = scratch.write("hasty.yaml", kHasty);
  const auto refused = [&](const std::string& wrapper, const std::string& says) {
    const ReelRun run = run_reel({"run", file, "--wrap", wrapper});
    EXPECT_EQ(run.status, 2) << wrapper;
    EXPECT_THAT(run.errors, HasSubstr(says));
  };
  refused("check", "--wrap: 'check' is not STAGE=COMMAND");
  refused("chek=nice", "--wrap: there is no stage \"chek\" but ");
  refused("check=no-such-program -x", "--wrap: there is no program 'no-such-program' here");
}

}  // namespace
}  // namespace reel_test
