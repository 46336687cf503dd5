// Must be shown: the annotated picture on the page, in headless Chromium, and in the window, on a virtual X
// server. What was photographed stays in tests/pictures of the build, for people.
#include "faces_pipeline.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/virtual_screen.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kPatience{3};  // a browser on a busy machine
const cv::Size kBrowser(1300, 800);
constexpr int kPictureWidth = 900;  // what the page's layout leaves of a browser that wide

std::string picture_path(const std::string& name) {
  fs::create_directories(REEL_TEST_PICTURES);
  return fs::path(REEL_TEST_PICTURES) / name;
}

/// Photographs a page with Chromium, without window, network and a home. It waits at most that long: a page
/// that streams a picture never has loaded.
void photograph(const std::string& page, const std::string& file, std::chrono::milliseconds time) {
  const ScratchDir home;
  const ChildProcess::Arguments arguments{
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
      "--hide-scrollbars",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      "--user-data-dir=" + home.file("profile"),
      "--window-size=" + std::to_string(kBrowser.width) + "," + std::to_string(kBrowser.height),
      "--timeout=" + std::to_string(time.count()),
      "--screenshot=" + file,
      page};
  const ChildProcess::Environment environment{{"HOME", home.path()},
                                              {"TMPDIR", home.path()},
                                              {"XDG_CONFIG_HOME", home.path()},
                                              {"XDG_CACHE_HOME", home.path()}};
  ChildProcess browser = ChildProcess::program("chromium", arguments, environment);
  EXPECT_TRUE(browser.wait(kPatience).ok()) << browser.errors();
}

/// Where in `screen` the stream's newest picture is, `width` wide; empty when it is nowhere.
cv::Rect find_picture(const cv::Mat& screen, const std::string& stream, int width) {
  const ScratchDir scratch;
  const ReelRun snapshot = run_reel({"snapshot", stream, scratch.file("now.png")});
  EXPECT_EQ(snapshot.status, 0) << snapshot.errors;
  cv::Mat picture = cv::imread(scratch.file("now.png"));
  if (screen.empty() || picture.empty()) return {};
  cv::resize(picture, picture, {width, picture.rows * width / picture.cols}, 0, 0, cv::INTER_AREA);
  if (picture.rows > screen.rows || picture.cols > screen.cols) return {};
  cv::Mat likeness;
  cv::matchTemplate(screen, picture, likeness, cv::TM_CCOEFF_NORMED);
  double best = 0;
  cv::Point place;
  cv::minMaxLoc(likeness, nullptr, &best, nullptr, &place);
  return best > 0.9 ? cv::Rect(place, picture.size())
                    : cv::Rect();  // the hands of the man on it may have moved
}

/// Pixels of the colour that opencv.overlay draws the box of a face in.
int box_pixels(const cv::Mat& picture) {
  cv::Mat alike;
  cv::inRange(picture, cv::Scalar(95, 138, 0), cv::Scalar(135, 178, 30), alike);
  return cv::countNonZero(alike);
}

/// The longest row of pixels in a meter's green: much more of it than of the others, on dark ground or light.
int longest_green_row(const cv::Mat& picture) {
  int longest = 0;
  for (int y = 0; y < picture.rows; ++y) {
    int row = 0;
    for (int x = 0; x < picture.cols; ++x) {
      const auto& bgr = picture.at<cv::Vec3b>(y, x);
      const bool green = bgr[1] > bgr[0] + 40 && bgr[1] > bgr[2] + 60;
      row = green ? row + 1 : 0;
      longest = std::max(longest, row);
    }
  }
  return longest;
}

/// Pixels that stand out from what is around them: written text, where there is no picture.
int written_pixels(const cv::Mat& picture) {
  cv::Mat grey, around, apart;
  cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
  cv::medianBlur(grey, around, 31);
  cv::absdiff(grey, around, apart);
  return cv::countNonZero(apart > 80);
}

TEST(FacesScreens, ThePageInABrowserShowsPictureLevelAndRates) {
  REEL_NEEDS(missing_programs({"chromium"}));
  const TempRuntimeDir runtime;
  FacesPipeline faces;
  ASSERT_TRUE(faces.goes_on(10)) << faces.running().log();
  const std::string page = faces.page();
  const std::string file = picture_path("page.png");
  cv::Mat screen;
  cv::Rect place;
  std::chrono::milliseconds time{4500};  // doubled each time: what a picture takes depends on the machine
  EXPECT_TRUE(wait_until(
      [&] {
        fs::remove(file);
        photograph(page, file, time *= 2);
        screen = cv::imread(file);
        place = find_picture(screen, faces.stream("annotated"), kPictureWidth);
        if (place.empty() || box_pixels(screen(place)) < 100) return false;
        const cv::Mat beside = screen.colRange(place.br().x, screen.cols);
        return longest_green_row(beside) > 30 && written_pixels(beside) > 3000;
      },
      kPatience))
      << "no annotated picture with level and rates beside it in " << file;
  EXPECT_EQ(screen.size(), kBrowser);

  faces.finish();
}

TEST(FacesScreens, TheWindowShowsThePicture) {
  REEL_NEEDS(missing_programs(VirtualScreen::kPrograms));
  const TempRuntimeDir runtime;
  const VirtualScreen x(1600, 900);
  ASSERT_FALSE(x.name().empty());
  FacesPipeline faces({"--set", "screen.window=always"}, {{"DISPLAY", x.name()}});
  const std::string file = picture_path("window.png");
  EXPECT_TRUE(wait_until([&] {
    if (!faces.goes_on(5) || !x.write_png(file)) return false;
    const cv::Mat screen = cv::imread(file);
    const cv::Rect place = find_picture(screen, faces.stream("annotated"), 1280);  // its own size fits
    return !place.empty() && box_pixels(screen(place)) > 100;
  })) << "no annotated picture in "
      << file << "; the log:\n"
      << faces.running().log();
  faces.finish();
}

}  // namespace
}  // namespace reel_test
