// What every command has in common: help with an example, the version, exit status 2 for bad usage.
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;
using testing::StartsWith;

struct Command {
  const char* name;
  std::vector<std::string> needed;  // arguments that it does not go without
};
void PrintTo(const Command& command, std::ostream* out) {
  *out << command.name;
}

class EveryCommand : public testing::TestWithParam<Command> {};

TEST_P(EveryCommand, ShowsAnExampleInItsHelp) {
  const auto run = run_reel({GetParam().name, "--help"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr(std::string("Example: reel ") + GetParam().name));
}

TEST_P(EveryCommand, EndsWithStatusTwoForAnUnknownOption) {
  std::vector<std::string> arguments{GetParam().name, "--no-such-option"};
  arguments.insert(arguments.end(), GetParam().needed.begin(), GetParam().needed.end());
  const auto run = run_reel(arguments);
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, StartsWith(std::string("reel: ") + GetParam().name +
                                     ": there is no option '--no-such-option': there is "));
  EXPECT_THAT(run.errors, HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(Commands, EveryCommand,
                         testing::Values(Command{"run", {"file.yaml"}}, Command{"check", {"file.yaml"}},
                                         Command{"ls", {}}, Command{"inspect", {"camera"}},
                                         Command{"verify", {"camera", "--frames", "1"}}, Command{"event", {}},
                                         Command{"recordings", {"ls", "recordings"}}, Command{"plugins", {}},
                                         Command{"top", {}}, Command{"graph", {}}, Command{"logs", {}},
                                         Command{"stop", {}}, Command{"restart", {"stage"}},
                                         Command{"apply", {"file.yaml"}}, Command{"doctor", {}},
                                         Command{"completion", {"bash"}}),
                         [](const auto& command) { return std::string(command.param.name); });

class CommandOnSomething : public testing::TestWithParam<const char*> {};

TEST_P(CommandOnSomething, EndsWithStatusTwoWithoutIt) {
  const auto run = run_reel({GetParam()});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, StartsWith(std::string("reel: ") + GetParam() + ": "));
  EXPECT_THAT(run.errors, HasSubstr("required"));
}

INSTANTIATE_TEST_SUITE_P(Commands, CommandOnSomething,
                         testing::Values("run", "check", "inspect", "verify", "restart", "apply",
                                         "recordings", "completion"),
                         [](const auto& command) { return std::string(command.param); });

TEST(Reel, PrintsItsVersion) {
  const auto run = run_reel({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "reel " REEL_VERSION "\n");
}

TEST(Reel, EndsWithStatusTwoWithoutACommand) {
  const auto run = run_reel({});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, StartsWith("reel: a command is required: "));
}

TEST(Reel, NamesTheNearestOption) {
  EXPECT_EQ(run_reel({"ls", "--jsn"}).errors,
            "reel: ls: there is no option '--jsn'; did you mean '--json'?\n");
  EXPECT_EQ(run_reel({"run", "--verbos=1"}).errors,
            "reel: run: there is no option '--verbos'; did you mean '--verbose'?\n");
  EXPECT_EQ(run_reel({"--verson"}).errors,
            "reel: there is no option '--verson'; did you mean '--version'?\n");
}

TEST(Reel, SaysWhereAnOptionBelongs) {
  EXPECT_EQ(run_reel({"--jsn", "ls"}).errors,
            "reel: '--jsn' stands before the command; did you mean `reel ls --json`?\n");
  EXPECT_THAT(run_reel({"--nothing-like-it", "ls"}).errors,
              StartsWith("reel: there is no option '--nothing-like-it': there is "));
}

TEST(Reel, SaysWhichOptionsTakeAValue) {
  const auto flag = run_reel({"ls", "--json=5"});
  EXPECT_EQ(flag.status, 2);
  EXPECT_THAT(flag.errors, StartsWith("reel: ls: --json takes no value; see "));
  const auto option = run_reel({"run", "file.yaml", "--duration"});
  EXPECT_EQ(option.status, 2);
  EXPECT_THAT(option.errors, StartsWith("reel: run: --duration needs a value; see "));
}

TEST(Reel, NamesAnArgumentTooMany) {
  const auto run = run_reel({"ls", "camera", "more"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, StartsWith("reel: ls: 'camera' is one argument too many"));
}

TEST(Reel, EndsWithStatusTwoForAnUnknownCommand) {
  const auto run = run_reel({"lst"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("no command 'lst'; did you mean 'ls'?"));
}

}  // namespace
