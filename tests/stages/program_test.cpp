// Programs as stages: their environment, their signals, their ends.

#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/stage/stage_setup.hpp>

namespace reel::stage_tests {
namespace {

using reel_test::ChildProcess;
using testing::HasSubstr;

ChildProcess shell(const std::string& script, const ChildProcess::Environment& environment = {}) {
  return ChildProcess::program(REEL_STAGE_HOST_PATH, {"--name", "tool", "--exec", "--", "sh", "-c", script},
                               environment);
}

TEST(Program, FindsItsStreamsInItsEnvironment) {
  StageSetup setup;
  setup.name = "tool";
  add_input(setup, "in", "camera");
  add_input(setup, "in", "screen");
  add_input(setup, "side-chain.left", "voice");
  add_output(setup, "out", "mixed");
  auto host = ChildProcess::program(
      REEL_STAGE_HOST_PATH,
      {"--name", "tool", "--setup-fd", "0", "--exec", "--", "sh", "-c",
       "echo \"$REEL_STAGE|$REEL_IN|$REEL_OUT|$REEL_IN_IN|$REEL_IN_SIDE_CHAIN_LEFT|$REEL_OUT_OUT\""});
  host.send(to_json(setup));
  host.close_input();
  EXPECT_TRUE(host.wait().ok()) << host.errors();
  EXPECT_EQ(host.output(), "tool|camera|mixed|camera screen|voice|mixed\n");
}

TEST(Program, FindsTheWholeSetupInItsEnvironment) {
  StageSetup setup;
  setup.name = "tool";
  add_input(setup, "in", "camera");
  add_output(setup, "out", "mixed");
  setup.outputs.front().writer.wait_for = {"p/next"};
  auto host = ChildProcess::program(REEL_STAGE_HOST_PATH, {"--name", "tool", "--setup-fd", "0", "--exec",
                                                           "--", "sh", "-c", "echo \"$REEL_SETUP\""});
  host.send(to_json(setup));
  host.close_input();
  EXPECT_TRUE(host.wait().ok()) << host.errors();
  EXPECT_EQ(host.output(), to_json(setup) + "\n");
}

TEST(Program, KeepsAnEnvironmentThatIsThereAlready) {
  auto host = shell("echo \"$REEL_STAGE|$REEL_IN\"", {{"REEL_IN", "camera"}});
  EXPECT_TRUE(host.wait().ok()) << host.errors();
  EXPECT_EQ(host.output(), "tool|camera\n");
}

TEST(Program, GetsItsArgumentsAsTheyAre) {
  auto host = ChildProcess::program(REEL_STAGE_HOST_PATH, {"--name", "tool", "--exec", "--", "printf", "%s|",
                                                           "--name", "a b", "--", "-x", ""});
  EXPECT_TRUE(host.wait().ok()) << host.errors();
  EXPECT_EQ(host.output(), "--name|a b|--|-x||");
}

TEST(Program, GivesItsStatusToTheHost) {
  auto five = shell("exit 5");
  EXPECT_EQ(five.wait().code, 5);
  auto killed = shell("kill -KILL $$");
  EXPECT_EQ(killed.wait().code, 128 + SIGKILL);
}

TEST(Program, ThatCannotBeRunIsABadConfiguration) {
  auto host =
      ChildProcess::program(REEL_STAGE_HOST_PATH, {"--name", "tool", "--exec", "--", "/does/not/exist"});
  EXPECT_EQ(host.wait().code, 2);
  EXPECT_THAT(host.errors(), HasSubstr("<E> cannot run /does/not/exist: No such file"));
}

TEST(Program, RunsInAGroupOfItsOwn) {
  auto host = shell("ps -o pgid= -p $$; echo pid $$; exec sleep 600");
  const std::string pid = host.wait_for_line("pid ").substr(4);
  EXPECT_THAT(host.output(), HasSubstr(pid + "\npid " + pid));
  EXPECT_NE(pid, std::to_string(host.pid()));
}

TEST(Program, EndsWellByTheSignalThatItWasPassed) {
  for (const int signal : {SIGINT, SIGTERM}) {
    auto host = shell("echo ready; exec sleep 600");
    ASSERT_EQ(host.wait_for_line("ready"), "ready");
    host.signal(signal);
    EXPECT_EQ(host.wait().code, 0) << "signal " << signal;
  }
}

TEST(Program, WithAnInputIsNotInterrupted) {
  auto host = shell("trap 'echo interrupted' INT; echo ready; read line; exit 3", {{"REEL_IN", "camera"}});
  ASSERT_EQ(host.wait_for_line("ready"), "ready");
  host.signal(SIGINT);
  host.send("go on");
  EXPECT_EQ(host.wait().code, 3);
  EXPECT_EQ(host.output(), "ready\n");
}

TEST(Program, TakesWhatItLeftBehindWithIt) {
  auto host = shell("sleep 600 & echo pid $!");
  const pid_t left = std::stoi(host.wait_for_line("pid ").substr(4));
  EXPECT_TRUE(host.wait().ok()) << host.errors();
  EXPECT_TRUE(reel_test::wait_until([&] { return !reel_test::process_alive(left); }));
}

TEST(Program, IsKilledWithItsGroupWhenTheSupervisorDies) {
  // The shell stands for the supervisor.
  auto supervisor = ChildProcess::program(
      "sh", {"-c", std::string(REEL_STAGE_HOST_PATH) +
                       " --name tool --exec -- sh -c 'sleep 600 & echo pid $!; wait' & wait"});
  const pid_t grandchild = std::stoi(supervisor.wait_for_line("pid ").substr(4));
  supervisor.signal(SIGKILL);
  EXPECT_EQ(supervisor.wait().signal, SIGKILL);
  EXPECT_TRUE(reel_test::wait_until([&] { return !reel_test::process_alive(grandchild); }));
}

}  // namespace
}  // namespace reel::stage_tests
