// The display's window on a virtual X server, looked at by a screenshot.
#include "display_fixture.hpp"

#include <cstdlib>

#include <opencv2/imgcodecs.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/virtual_screen.hpp>

namespace {

using namespace reel;

class DisplayWindow : public DisplayFixture {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("DISPLAY")) before_ = before;
    REEL_NEEDS(reel_test::missing_programs(reel_test::VirtualScreen::kPrograms));
    screen_.emplace(800, 600);
    ASSERT_FALSE(screen_->name().empty());
    ::setenv("DISPLAY", screen_->name().c_str(), 1);
  }
  void TearDown() override {
    stage_.reset();
    if (before_)
      ::setenv("DISPLAY", before_->c_str(), 1);
    else
      ::unsetenv("DISPLAY");
  }
  [[nodiscard]] cv::Mat screenshot() const {
    const std::string file = scratch_.file("screen.png");
    return screen_->write_png(file) ? cv::imread(file) : cv::Mat();
  }
  reel_test::ScratchDir scratch_;
  std::optional<reel_test::VirtualScreen> screen_;
  std::optional<std::string> before_;
};

TEST_F(DisplayWindow, ShowsThePicture) {
  start({{"window", "always"}});
  cv::Mat screen;
  EXPECT_TRUE(reel_test::wait_until([&] {
    show({40, 120, 200});
    screen = screenshot();
    return !screen.empty() &&
           cv::norm(screen.at<cv::Vec3b>(120, 160), cv::Vec3b(40, 120, 200), cv::NORM_INF) <= 4;
  }));
  ASSERT_EQ(screen.size(), cv::Size(800, 600));
  // The whole of it, 320 x 240 at the corner where a screen without window manager puts it; nothing beside.
  EXPECT_LE(cv::norm(screen.at<cv::Vec3b>(239, 319), cv::Vec3b(40, 120, 200), cv::NORM_INF), 4);
  EXPECT_LE(cv::norm(screen.at<cv::Vec3b>(241, 321), cv::Vec3b(0, 0, 0), cv::NORM_INF), 4);
  finish();
}

TEST_F(DisplayWindow, IsDoneWithoutWhenTheServerGoesAway) {
  start({{"window", "auto"}});
  show_until_seen({40, 120, 200});
  screen_->end();
  for (int i = 0; i < 20; ++i) show({200, 120, static_cast<double>(i * 10)});
  EXPECT_EQ(get(port_, "/").status, 200);
  finish();
}

TEST_F(DisplayWindow, IsAnErrorWhenItMustBeAndCannot) {
  ::setenv("DISPLAY", ":9999", 1);
  start({{"window", "always"}});
  reel_test::expect_error(ErrorCode::unsupported, {":9999", "window: never"}, [&] { stage_->join(); });
}

TEST_F(DisplayWindow, IsLeftOutByAutoWhenItCannot) {
  ::setenv("DISPLAY", ":9999", 1);
  start({{"window", "auto"}});
  show_until_seen({40, 120, 200});
  finish();
}

TEST(DisplayOptions, RefuseToShowNothing) {
  reel::StageSetup setup;
  setup.name = "screen";
  setup.plugin = "display";
  setup.options = reel_test::options({{"page", "false"}, {"window", "never"}});
  reel_test::RunningStage stage(setup);
  reel_test::expect_error(ErrorCode::bad_config, {"page: false", "window: never"}, [&] { stage.join(); });
}

}  // namespace
