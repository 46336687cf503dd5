// `reel doctor` on the machine that the tests run on, and on one that is made worse.
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

TEST(Doctor, SaysOfEachThingHowItIsAndWhatToDo) {
  const reel_test::TempRuntimeDir runtime;
  const auto run = run_reel({"doctor", "--json"});
  EXPECT_EQ(run.status, 0) << run.output;
  std::set<std::string> things;
  for (const auto& finding : run.json()) {
    things.insert(finding["thing"]);
    EXPECT_EQ(finding["grade"] == "fine", finding["fix"] == "") << finding;
    EXPECT_NE(finding["text"], "") << finding;
  }
  EXPECT_THAT(things,
              testing::IsSupersetOf({"kernel", "sealed memory", "huge pages", "memory", "runtime directory",
                                     "stage host", "plugins", "OpenCV", "GStreamer", "display"}));
  EXPECT_THAT(run_reel({"doctor"}).output, HasSubstr(runtime.path()));
}

TEST(Doctor, ARuntimeDirectoryThatIsOpenToOthersIsAFault) {
  const reel_test::ScratchDir scratch;
  auto doctor = reel_test::ChildProcess::program(
      "sh", {"-c", "mkdir -m 0777 " + scratch.file("open") + "; chmod 0777 " + scratch.file("open") +
                       "; REEL_RUNTIME_DIR=" + scratch.file("open") + " exec " + reel_test::reel_command() +
                       " doctor"});
  EXPECT_EQ(doctor.wait().code, 1);
  EXPECT_THAT(doctor.output(), testing::ContainsRegex("fault +runtime directory"));
  EXPECT_THAT(doctor.output(), HasSubstr("-> export REEL_RUNTIME_DIR="));
}

TEST(Doctor, APluginThatCannotBeLoadedIsNamed) {
  const reel_test::TempRuntimeDir runtime;
  const reel_test::ScratchDir scratch;
  scratch.write("broken.one.so", "no module");
  auto doctor = reel_test::ChildProcess::program(reel_test::reel_command(), {"doctor"},
                                                 {{"REEL_PLUGIN_PATH", scratch.path()}});
  EXPECT_EQ(doctor.wait().code, 0) << doctor.output();
  EXPECT_THAT(doctor.output(), testing::ContainsRegex("lacking +plugin broken.one"));
}

TEST(Doctor, WithoutADisplayItSaysWhatToDo) {
  const reel_test::TempRuntimeDir runtime;
  auto doctor = reel_test::ChildProcess::program(reel_test::reel_command(), {"doctor"}, {{"DISPLAY", ""}});
  EXPECT_EQ(doctor.wait().code, 0);
  EXPECT_THAT(doctor.output(), HasSubstr("DISPLAY is not set"));
  EXPECT_THAT(doctor.output(), HasSubstr("xvfb-run"));
}

}  // namespace
