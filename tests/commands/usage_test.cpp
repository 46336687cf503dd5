// What every command has in common: help with an example, the version, exit status 2 for bad usage.
#include "run_reel.hpp"

#include <gmock/gmock.h>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

class EveryCommand : public testing::TestWithParam<const char*> {};

TEST_P(EveryCommand, ShowsAnExampleInItsHelp) {
  const auto run = run_reel({GetParam(), "--help"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr(std::string("Example: reel ") + GetParam()));
}

TEST_P(EveryCommand, EndsWithStatusTwoForAnUnknownOption) {
  const auto run = run_reel({GetParam(), "--no-such-option"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--no-such-option"));
}

INSTANTIATE_TEST_SUITE_P(Commands, EveryCommand,
                         testing::Values("run", "check", "ls", "inspect", "verify", "plugins"),
                         [](const auto& command) { return std::string(command.param); });

TEST(Reel, PrintsItsVersion) {
  const auto run = run_reel({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "reel " REEL_VERSION "\n");
}

TEST(Reel, EndsWithStatusTwoWithoutACommand) {
  EXPECT_EQ(run_reel({}).status, 2);
}

TEST(Reel, EndsWithStatusTwoForAnUnknownCommand) {
  const auto run = run_reel({"lst"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("lst"));
}

}  // namespace
