// The quickstart's pipeline on clips that strangers have.
#include "made_media.hpp"

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

namespace capture_test {
namespace {

TEST(Quickstart, RunsOnAClipWithoutSound) {
  const reel_test::TempRuntimeDir runtime;
  const MediaDir media;
  const std::string clip = media.make("silent.avi", small_picture(50) + " ! jpegenc ! avimux");
  reel_test::ChildProcess reel = reel_test::ChildProcess::program(
      REEL_COMMAND, {"run", QUICKSTART, "--set", "screen.port=0", "--set", "screen.window=never"},
      {{"CLIP", clip}, {"OUT", media.path()}});
  EXPECT_TRUE(reel.wait().ok()) << reel.errors() << reel.output();
  EXPECT_THAT(reel.errors(), ::testing::HasSubstr("silent.avi\" has no sound"));
  EXPECT_THAT(reel.output(), ::testing::ContainsRegex("level +finished"));
  EXPECT_FALSE(reel_test::read_file(media.path() + "/picture-1.png").empty()) << reel.errors();
}

}  // namespace
}  // namespace capture_test
