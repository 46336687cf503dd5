#include "running_pipeline.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTalk = R"(
version: 1
stages:
  talker: {use: exec, restart: never, options: {command: "echo result; echo plain >&2; echo '<W> careful' >&2; printf 'no end' >&2"}}
)";

TEST(Log, NamesTheStageOfEachLine) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kTalk);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  const std::string log = pipeline.reel().errors();
  EXPECT_THAT(log, HasSubstr("talker: plain\n"));
  EXPECT_THAT(log, HasSubstr("warning talker: careful\n"));
  EXPECT_THAT(log, HasSubstr("talker: no end\n"));
  EXPECT_THAT(log, HasSubstr("talker: finished\n"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("result")));
}

TEST(Log, KeepsResultsOnStandardOutputAsTheyAre) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kTalk);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  EXPECT_EQ(pipeline.reel().output().rfind("result\n", 0), 0u) << pipeline.reel().output();
}

TEST(Log, IsJsonForMachines) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kTalk, {"--log-json"});
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
  std::istringstream log(pipeline.reel().errors());
  bool careful = false;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    careful =
        careful || (json["stage"] == "talker" && json["level"] == "warning" && json["message"] == "careful");
  }
  EXPECT_TRUE(careful);
}

TEST(Log, KeepsUpWithAStageThatTalksALot) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      R"({version: 1, stages: {a: {use: exec, options: {command: "seq 1 50000; seq 1 50000 >&2"}}}})");
  ASSERT_TRUE(pipeline.wait().ok());
  EXPECT_THAT(pipeline.reel().output(), HasSubstr("\n50000\n"));
  EXPECT_THAT(pipeline.reel().errors(), HasSubstr("a: 50000\n"));
}

}  // namespace
}  // namespace reel_test
