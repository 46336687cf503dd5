// Stages that cannot begin and stages that fail: what they say and how they end.

#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel::stage_tests {
namespace {

using reel_test::unique_name;
using testing::AllOf;
using testing::HasSubstr;

void expect_failure(StageSetup setup, int code, const std::vector<std::string>& words) {
  const reel_test::TempRuntimeDir directory;
  Host host(std::move(setup));
  host.start();
  EXPECT_EQ(host.wait().code, code);
  EXPECT_EQ(host.state(), StageState::failed);
  EXPECT_THAT(host.log(), testing::StartsWith("<E> "));
  for (const std::string& word : words) EXPECT_THAT(host.log(), HasSubstr(word));
}

StageSetup thrower(const std::string& at, const std::string& what) {
  StageSetup setup = setup_of("thrower", "test.thrower", {{"at", at}, {"what", what}});
  add_output(setup, "out", unique_name("bytes"));
  return setup;
}

class Thrown : public testing::TestWithParam<std::string> {};

TEST_P(Thrown, BecomesAnErrorThatNamesThePluginAndTheCall) {
  const std::string at = GetParam();
  expect_failure(thrower(at, "exception"), 1, {"test.thrower threw in " + at + ": a bug in " + at});
  expect_failure(thrower(at, "number"), 1,
                 {"test.thrower threw in " + at + " something that is no exception"});
  expect_failure(thrower(at, "error"), 1, {"the device is on fire"});
  expect_failure(thrower(at, "config"), 2, {"these two do not go together"});
  expect_failure(thrower(at, "unsupported"), 2, {"no such codec here"});
}

INSTANTIATE_TEST_SUITE_P(InEveryCall, Thrown, testing::Values("configure", "start", "produce", "stop"),
                         [](const auto& call) { return call.param; });

TEST(Thrown, InProcessEndsTheStageThatHasInputs) {
  const reel_test::TempRuntimeDir directory;
  for (const std::string at : {"process", "input_ended"}) {
    const std::string stream = unique_name("synthetic");
    StageSetup source =
        setup_of("source", "synthetic.source", {{"width", "64"}, {"height", "48"}, {"frames", "3"}});
    add_output(source, "out", stream, {"thrower.in"});
    StageSetup failing = setup_of("thrower", "test.thrower", {{"at", at}});
    add_input(failing, "in", stream);
    Host hosts[] = {Host(source), Host(failing)};
    for (Host& host : hosts) host.start();
    EXPECT_EQ(hosts[1].wait().code, 1);
    EXPECT_THAT(hosts[1].log(), HasSubstr("test.thrower threw in " + at));
    EXPECT_TRUE(hosts[0].wait().ok()) << "a reader's failure is none of its writer: " << hosts[0].log();
  }
}

TEST(StopRequested, EndsAStageWell) {
  const reel_test::TempRuntimeDir directory;
  Host host(thrower("produce", "stop"));
  host.start();
  EXPECT_TRUE(host.wait().ok()) << host.log();
  EXPECT_EQ(host.output().frames.load(), 3u);
}

TEST(AFailedSource, IsADisconnectForItsReadersNotAnEnd) {
  const reel_test::TempRuntimeDir directory;
  StageSetup failing = thrower("produce", "exception");
  failing.outputs[0].writer.wait_for = {"verify.in"};
  StageSetup verify = setup_of("verify", "synthetic.verify", {{"pattern", "none"}});
  add_input(verify, "in", failing.outputs[0].stream);
  Host hosts[] = {Host(failing), Host(verify)};
  for (Host& host : hosts) host.start();
  EXPECT_EQ(hosts[0].wait().code, 1);
  EXPECT_EQ(hosts[0].output().frames.load(), 3u) << "counted to the last";
  EXPECT_TRUE(reel_test::wait_until([&] { return hosts[1].input().frames.load() == 3; }));
  EXPECT_EQ(hosts[1].state(), StageState::running);
  hosts[1].signal(SIGTERM);
  EXPECT_TRUE(hosts[1].wait().ok()) << hosts[1].log();
}

TEST(AnEmptyStream, EndsForItsReaders) {
  const reel_test::TempRuntimeDir directory;
  // Ends before its first frame, and even before it said what format its frames would have.
  StageSetup empty = setup_of("empty", "test.thrower", {{"at", "start"}, {"what", "stop"}});
  add_output(empty, "out", unique_name("bytes"), {"verify.in"});
  StageSetup verify = setup_of("verify", "synthetic.verify", {{"pattern", "none"}});
  add_input(verify, "in", empty.outputs[0].stream);
  Host hosts[] = {Host(empty), Host(verify)};
  for (Host& host : hosts) host.start();
  for (Host& host : hosts) EXPECT_TRUE(host.wait().ok()) << host.log();
}

class Refusal : public testing::TestWithParam<bool> {};

TEST_P(Refusal, OfTheFirstJoinIsABadConfiguration) {
  const reel_test::TempRuntimeDir directory;
  StageSetup source = setup_of("source", "synthetic.source", {{"rate", "48000"}, {"fps", "100"}});
  add_output(source, "out", unique_name("sound"));
  StageSetup verify = setup_of("verify", "synthetic.verify");
  add_input(verify, "in", source.outputs[0].stream, Policy::latest);
  Host hosts[] = {Host(source), Host(verify)};
  const bool source_first = GetParam();
  Host& first = hosts[source_first ? 0 : 1];
  first.start();
  ASSERT_TRUE(reel_test::wait_until([&] {
    return source_first ? first.output().frames.load() > 0 : first.state() == StageState::running;
  })) << first.log();
  hosts[source_first ? 1 : 0].start();
  EXPECT_EQ(hosts[1].wait().code, 2);
  EXPECT_THAT(hosts[1].log(), AllOf(testing::StartsWith("<E> "), HasSubstr("policy latest")));
  hosts[0].signal(SIGTERM);
  EXPECT_TRUE(hosts[0].wait().ok()) << hosts[0].log();
}

INSTANTIATE_TEST_SUITE_P(Both, Refusal, testing::Bool(), [](const auto& first) {
  return std::string(first.param ? "SourceFirst" : "ReaderFirst");
});

TEST(Setup, IsRefusedWhenThePluginIsNone) {
  StageSetup missing = setup_of("verify", "synthetic.verify");
  missing.plugin = "/does/not/exist.so";
  expect_failure(missing, 2, {"/does/not/exist.so", "no such plugin file"});
  missing.plugin = std::string(REEL_TEST_MODULES) + "/test.wrong_abi.so";
  expect_failure(missing, 2, {"ABI 999"});
}

TEST(Setup, IsRefusedWhenAnOptionIsWrong) {
  expect_failure(setup_of("verify", "synthetic.verify", {{"delay_m", "5"}}), 2,
                 {"test.yaml:1", "did you mean \"delay_ms\"?"});
  StageSetup live = setup_of("source", "synthetic.source", {{"live", "true"}, {"fps", "0"}});
  add_output(live, "out", unique_name("synthetic"));
  expect_failure(live, 2, {"fps above 0"});
  for (const std::string fps : {"0.0005", "0.000000001"}) {
    StageSetup slow = setup_of("source", "synthetic.source", {{"fps", fps}});
    add_output(slow, "out", unique_name("synthetic"));
    expect_failure(slow, 2, {"option fps", "too slow", "0.001"});
  }
  StageSetup audio = setup_of("source", "synthetic.source", {{"format", "S16LE"}, {"width", "64"}});
  add_output(audio, "out", unique_name("synthetic"));
  expect_failure(audio, 2, {"S16LE is audio"});
}

TEST(Setup, IsRefusedWhenItsPortsAreWrong) {
  expect_failure(setup_of("verify", "synthetic.verify"), 2,
                 {"the input \"in\" of synthetic.verify is not connected"});
  StageSetup twice = setup_of("verify", "synthetic.verify");
  add_input(twice, "in", "one");
  add_input(twice, "in", "two");
  expect_failure(twice, 2, {"the input \"in\" of synthetic.verify is one stream, not 2"});
  StageSetup misspelt = setup_of("verify", "synthetic.verify");
  add_input(misspelt, "inn", "one");
  expect_failure(misspelt, 2, {"has no input \"inn\": did you mean \"in\"?"});
  StageSetup output = setup_of("verify", "synthetic.verify");
  add_input(output, "in", "one");
  add_output(output, "out", "two");
  expect_failure(output, 2, {"synthetic.verify has no outputs"});
}

TEST(Media, ThatAPortDoesNotTakeIsABadConfiguration) {
  const reel_test::TempRuntimeDir directory;
  const std::string stream = unique_name("audio");
  StageSetup source = setup_of("source", "synthetic.source", {{"rate", "48000"}, {"frames", "5"}});
  add_output(source, "out", stream, {"negative.in"});
  StageSetup negative = setup_of("negative", "example.negative");
  add_input(negative, "in", stream);
  add_output(negative, "out", unique_name("turned"));
  Host hosts[] = {Host(source), Host(negative)};
  for (Host& host : hosts) host.start();
  EXPECT_EQ(hosts[1].wait().code, 2);
  EXPECT_THAT(hosts[1].log(), AllOf(HasSubstr("takes video"), HasSubstr("carries audio/x-raw")));
  EXPECT_TRUE(hosts[0].wait().ok()) << hosts[0].log();
}

TEST(CommandLine, IsCheckedBeforeAnythingRuns) {
  for (const reel_test::ChildProcess::Arguments& arguments : std::vector<reel_test::ChildProcess::Arguments>{
           {},
           {"--name", "x"},
           {"--name", "x", "--exec"},
           {"--name", "x", "--setup-fd", "many"},
           {"--name", "x", "--setup-fd", "77"},
           {"--name", "x", "--setup-fd", "0", "--stats-fd", "77"}}) {
    auto host = reel_test::ChildProcess::program(REEL_STAGE_HOST_PATH, arguments);
    host.close_input();
    EXPECT_EQ(host.wait().code, 2) << testing::PrintToString(arguments);
    EXPECT_NE(host.errors(), "") << testing::PrintToString(arguments);
  }
}

TEST(CommandLine, RefusesASetupThatIsNoJson) {
  auto host = reel_test::ChildProcess::program(REEL_STAGE_HOST_PATH, {"--name", "x", "--setup-fd", "0"});
  host.send("nonsense");
  host.close_input();
  EXPECT_EQ(host.wait().code, 2);
  EXPECT_THAT(host.errors(), HasSubstr("is no JSON"));
}

}  // namespace
}  // namespace reel::stage_tests
