// The program that is run on finished segments: what it is given, and that none holds up the recorder.
#include "events/finished_hook.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace record {
namespace {

namespace fs = std::filesystem;
using reel_test::expect_error;
using reel_test::wait_until;
using testing::HasSubstr;

class Hook : public testing::Test {
 protected:
  [[nodiscard]] FinishedHook::Settings script(const std::string& body) const {
    FinishedHook::Settings settings;
    settings.program = scratch_.write("hook.sh", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n" + body + "\n");
    fs::permissions(settings.program, fs::perms::owner_all);
    return settings;
  }
  reel_test::ScratchDir scratch_;
};

TEST_F(Hook, IsGivenTheFileAndItsManifestAndNothingElse) {
  FinishedHook hook(script("echo \"$#|$1|$2|$(cat)\" > said"));
  hook.run("/r/a file.mkv", "/r/a file.json");
  ASSERT_TRUE(wait_until([&] { return hook.counts().succeeded == 1; }));
  EXPECT_EQ(scratch_.read("said"), "2|/r/a file.mkv|/r/a file.json|\n");
}

TEST_F(Hook, IsLoggedWithWhatItSaidWhenItFails) {
  testing::internal::CaptureStderr();
  {
    FinishedHook hook(script("yes x | head -c 100000; echo no such bucket >&2; exit 3"));
    hook.run("/r/a.mkv", "/r/a.json");
    ASSERT_TRUE(wait_until([&] { return hook.counts().failed == 1; }));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("on /r/a.mkv ended with status 3"));
  EXPECT_THAT(log, HasSubstr("no such bucket"));
  EXPECT_LT(log.size(), 5000U);
}

TEST_F(Hook, IsKilledWithWhatItStartedWhenItDoesNotEnd) {
  auto settings = script("sleep 1000 & echo $! > pid; wait");
  settings.timeout_ns = 200'000'000;
  FinishedHook hook(settings);
  hook.run("a", "b");
  ASSERT_TRUE(wait_until([&] { return hook.counts().failed == 1; }));
  const std::string pid = scratch_.read("pid");
  if (!pid.empty()) {
    EXPECT_TRUE(wait_until([&] { return !reel_test::process_alive(std::stoi(pid)); }));
  }
}

TEST_F(Hook, RunsAFewAtATimeAndLeavesOutWhatIsTooMuch) {
  auto settings = script("echo x >> begun; while [ ! -e go ]; do sleep 0.02; done");
  settings.waiting = 3;
  FinishedHook hook(settings);
  const auto begun = [&] { return scratch_.read("begun").size() / 2; };
  hook.run("a", "b");
  hook.run("a", "b");
  ASSERT_TRUE(wait_until([&] { return begun() == 2; }));
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) hook.run("late", "b");
  EXPECT_EQ(hook.counts().left_out, 2U);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("not run on late: 3 files wait"));
  EXPECT_EQ(begun(), 2U) << "two at a time";
  scratch_.write("go", "");
  EXPECT_TRUE(wait_until([&] { return hook.counts().succeeded == 5; }));
}

TEST_F(Hook, RunsOnTheLastFilesWhenTheRecorderEnds) {
  {
    FinishedHook hook(script("sleep 0.1; echo \"$1\" >> said"));
    for (int i = 0; i < 4; ++i) hook.run("a", "b");
  }
  EXPECT_EQ(scratch_.read("said"), "a\na\na\na\n");
}

TEST_F(Hook, DoesNotHoldUpTheEndOfTheRecorder) {
  auto settings = script("sleep 1000");
  settings.farewell_ns = 100'000'000;
  testing::internal::CaptureStderr();
  {
    FinishedHook hook(settings);
    for (int i = 0; i < 4; ++i) hook.run("a.mkv", "b");
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("not run on "));
}

TEST_F(Hook, IsRefusedWhereThereIsNone) {
  FinishedHook::Settings settings;
  settings.program = scratch_.write("text", "no program");
  expect_error(reel::ErrorCode::bad_config, {settings.program, "chmod +x"},
               [&] { FinishedHook hook(settings); });
  settings.program = "no-such-program-anywhere";
  expect_error(reel::ErrorCode::bad_config, {"no-such-program-anywhere"},
               [&] { FinishedHook hook(settings); });
  settings.program = "true";
  FinishedHook hook(settings);
  hook.run("a", "b");
  EXPECT_TRUE(wait_until([&] { return hook.counts().succeeded == 1; }));
}

}  // namespace
}  // namespace record
