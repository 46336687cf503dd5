// Every example in configs/ is checked, and run for as long as it takes to see it work.
#include "running_pipeline.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

TEST(Configs, OfAllOptionsRuns) {
  const TempRuntimeDir runtime;
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/all-options.yaml"}, {{"FPS", "200"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.output(), HasSubstr("program reads numbers"));
  EXPECT_THAT(reel.output(), HasSubstr(R"("stage":"everything","frames":60,"gaps":0,"corrupted":0)"));
}

TEST(Configs, OfGStreamerRuns) {
  REEL_NEEDS(REEL_HAVE_GST != 0 ? "" : "GStreamer is not built in here");
  const TempRuntimeDir runtime;
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/gstreamer.yaml"}, {{"FRAMES", "20"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.output(), HasSubstr(R"("stage":"check","frames":20,"gaps":0,"corrupted":0)"));
}

TEST(Configs, AreAllFine) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REEL_CONFIGS)) {
    if (entry.path().extension() != ".yaml") continue;
    if (REEL_HAVE_QUICKSTART == 0 && entry.path().stem() == "quickstart") continue;
    ++examples;
    const ReelRun check = run_reel({"check", entry.path()});
    EXPECT_EQ(check.status, 0) << check.errors;
    EXPECT_THAT(check.output, HasSubstr("fine"));
  }
  EXPECT_GT(examples, 0) << "in " << REEL_CONFIGS;
}

TEST(Configs, OfTheQuickstartRuns) {
  REEL_NEEDS(REEL_HAVE_QUICKSTART != 0 ? "" : "a plugin of the quickstart is not built here");
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const std::string summary = scratch.path() + "/summary.json";
  ChildProcess reel = ChildProcess::program(reel_command(),
                                            {"run", REEL_CONFIGS "/quickstart.yaml", "--set", "screen.port=0",
                                             "--set", "screen.window=never", "--summary-json", summary},
                                            {{"OUT", scratch.path()}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  const auto json = nlohmann::json::parse(scratch.read("summary.json"));
  for (const auto& stage : json["stages"]) {
    EXPECT_EQ(stage["state"], "finished") << stage;
    for (const auto& input : stage["inputs"]) {
      EXPECT_EQ(input["verified"], input["frames"]) << stage;
      EXPECT_EQ(input["corrupted"], 0) << stage;
    }
  }
  EXPECT_FALSE(scratch.read("face-1.png").empty()) << reel.errors();
  EXPECT_FALSE(scratch.read("picture-1.png").empty()) << reel.errors();
}

}  // namespace
}  // namespace reel_test
