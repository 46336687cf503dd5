// The display's window on a virtual X server, looked at by a screenshot.
#include "display_fixture.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <opencv2/imgcodecs.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/expect_error.hpp>

namespace {

using namespace reel;

// An X server of the test's own. It picks a free display number and writes it to standard output.
class VirtualScreen {
 public:
  VirtualScreen()
      : server_(reel_test::ChildProcess::program(
            "Xvfb", {"-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"})) {
    if (const auto number = server_.read_line()) name_ = ":" + *number;
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] cv::Mat screenshot() const {
    char path[] = "/tmp/reel-screen-XXXXXX";
    const int fd = ::mkstemp(path);
    if (fd < 0) return {};
    ::close(fd);
    const std::string file(path),
        command = "xwd -root -silent -display " + name_ + " | convert xwd:- png:" + file;
    const bool made = std::system(command.c_str()) == 0;
    cv::Mat screen = made ? cv::imread(file) : cv::Mat();
    std::filesystem::remove(file);
    return screen;
  }
  void end() { server_.signal(SIGKILL); }

 private:
  reel_test::ChildProcess server_;
  std::string name_;
};

class DisplayWindow : public DisplayFixture {
 protected:
  void SetUp() override {
    if (std::system(
            "command -v Xvfb >/dev/null && command -v xwd >/dev/null && command -v convert >/dev/null") != 0)
      GTEST_SKIP() << "no xvfb, x11-apps and imagemagick here";
    screen_.emplace();
    ASSERT_FALSE(screen_->name().empty());
    const char* before = std::getenv("DISPLAY");
    if (before != nullptr) before_ = before;
    ::setenv("DISPLAY", screen_->name().c_str(), 1);
  }
  void TearDown() override {
    stage_.reset();
    if (before_)
      ::setenv("DISPLAY", before_->c_str(), 1);
    else
      ::unsetenv("DISPLAY");
  }
  std::optional<VirtualScreen> screen_;
  std::optional<std::string> before_;
};

TEST_F(DisplayWindow, ShowsThePicture) {
  start({{"window", "always"}});
  cv::Mat screen;
  EXPECT_TRUE(reel_test::wait_until([&] {
    show({40, 120, 200});
    screen = screen_->screenshot();
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
