// Every example in configs/ is checked, and run for as long as it takes to see it work.
#include "running_pipeline.hpp"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/virtual_screen.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

TEST(Configs, OfAllOptionsRuns) {
  const TempRuntimeDir runtime;
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/all-options.yaml"}, {{"FPS", "200"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.output(), HasSubstr("program reads numbers"));
  EXPECT_THAT(reel.output(), HasSubstr(R"("stage":"pairs","sets":30,)"));
  EXPECT_THAT(reel.output(), HasSubstr(R"("stage":"everything","frames":60,"gaps":0,"corrupted":0)"));
}

TEST(Configs, OfAJoinRuns) {
  const TempRuntimeDir runtime;
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/join.yaml"}, {{"FRAMES", "31"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.output(), HasSubstr(R"("sets":7,"alone":0,"widest_pts_ms":0)"));
  EXPECT_THAT(reel.output(), HasSubstr(R"("first_sets":["0+0","5+2","10+4","15+6","20+8","25+10","30+12"])"));
  EXPECT_THAT(reel.output(), HasSubstr(R"("stage":"tenth","frames":4,)"));
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
    static const std::set<std::string> kWithPlugins{"camera", "http", "quickstart", "screen"};
    if (REEL_HAVE_QUICKSTART == 0 && kWithPlugins.count(entry.path().stem()) != 0) continue;
    static const std::set<std::string> kRecorders{"record", "recorder"};
    if (REEL_HAVE_RECORD == 0 && kRecorders.count(entry.path().stem()) != 0) continue;
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

TEST(Configs, OfARecordingRuns) {
  REEL_NEEDS(REEL_HAVE_RECORD != 0 ? "" : "the plugin that records is not built here");
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  ChildProcess reel = ChildProcess::program(reel_command(), {"run", REEL_CONFIGS "/record.yaml"},
                                            {{"RECORDINGS", scratch.path() + "/recordings"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.errors(), HasSubstr("wrote 2"));
  EXPECT_THAT(reel.errors(), HasSubstr("60 pictures of camera"));
}

TEST(Configs, OfAClipOnAServerRuns) {
  REEL_NEEDS(REEL_HAVE_QUICKSTART != 0 ? "" : "a plugin of the quickstart is not built here");
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  ChildProcess server = ChildProcess::program(
      "/usr/bin/python3",
      {"-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", REEL_CONFIGS "/../apps/media"});
  const std::string line = server.wait_for_line("Serving HTTP");
  const std::size_t begin = line.find("http://");
  ASSERT_NE(begin, std::string::npos) << server.errors();
  const std::string root = line.substr(begin, line.find('/', begin + 7) - begin);
  ChildProcess reel = ChildProcess::program(
      reel_command(),
      {"run", REEL_CONFIGS "/http.yaml", "--set", "screen.port=0", "--set", "screen.window=never"},
      {{"CLIP", root + "/hello.mp4"}, {"OUT", scratch.path()}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_FALSE(scratch.read("picture-1.png").empty()) << reel.errors();
}

TEST(Configs, OfTheScreenRuns) {
  REEL_NEEDS(REEL_HAVE_QUICKSTART != 0 ? "" : "a plugin of the quickstart is not built here");
  REEL_NEEDS(missing_programs(VirtualScreen::kPrograms));
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const VirtualScreen screen(320, 240);
  ASSERT_FALSE(screen.name().empty());
  ChildProcess reel = ChildProcess::program(
      reel_command(), {"run", REEL_CONFIGS "/screen.yaml"},
      {{"SCREEN", "screen://" + screen.name()}, {"OUT", scratch.path()}, {"COUNT", "2"}});
  EXPECT_TRUE(wait_until([&] { return !scratch.read("screen-2.png").empty() || !reel.running(); }));
  reel.signal(SIGINT);
  EXPECT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_FALSE(scratch.read("screen-2.png").empty()) << reel.errors();
}

}  // namespace
}  // namespace reel_test
