// What `reel recordings export --output x.mp4` makes is played by a browser, and by one that reads it from a
// server, too: its index comes first, in one piece.
#include <filesystem>

#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>

#include "catalog_fixture.hpp"

namespace {

using record_test::kMorning;
using record_test::kSecond;
using testing::HasSubstr;

class ExportedMp4 : public record_test::CatalogTest {
 protected:
  void SetUp() override {
    const std::string directory = scratch.file("recordings");
    std::filesystem::create_directories(directory + "/2026-11-22");
    for (int i = 0; i < 2; ++i)
      std::filesystem::copy_file(
          CLIP,
          directory + "/" + record::to_path({"door", kMorning + i * 20 * kSecond, false, 1, "mp4", false}));
    ASSERT_EQ(reel_test::run_reel({"recordings", "reindex", directory}).status, 0);
    const auto said =
        reel_test::run_reel({"recordings", "export", directory, "--output", scratch.file("out.mp4")});
    ASSERT_EQ(said.status, 0) << said.errors;
  }
};

/// Types of the boxes that the file is made of (ISO 14496-12, 4.2).
std::vector<std::string> boxes_of(const std::string& file) {
  std::vector<std::string> types;
  const auto number = [&](std::size_t place, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value = value << 8U | static_cast<unsigned char>(file[place + static_cast<std::size_t>(i)]);
    return value;
  };
  for (std::uint64_t place = 0; place + 16 <= file.size();) {
    types.push_back(file.substr(place + 4, 4));
    const std::uint64_t bytes = number(place, 4);
    place += bytes == 1 ? number(place + 8, 8) : std::max<std::uint64_t>(bytes, 8);
  }
  return types;
}

TEST_F(ExportedMp4, HasItsIndexFirst) {
  const std::vector<std::string> boxes = boxes_of(reel_test::read_file(scratch.file("out.mp4")));
  const auto place = [&](const char* type) {
    return std::find(boxes.begin(), boxes.end(), type) - boxes.begin();
  };
  EXPECT_LT(place("moov"), place("mdat")) << testing::PrintToString(boxes);
  EXPECT_EQ(std::count(boxes.begin(), boxes.end(), "moof"), 0);
  auto probe = reel_test::ChildProcess::program(
      "ffprobe",
      {"-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", scratch.file("out.mp4")});
  EXPECT_TRUE(probe.wait().ok()) << probe.errors();
  EXPECT_EQ(probe.output(), "h264\naac\n");
}

TEST_F(ExportedMp4, IsPlayedByABrowser) {
  REEL_NEEDS(reel_test::missing_programs({"chromium"}));
  // A page is loaded once its video's first picture is decoded.
  const std::string page = scratch.write(
      "page.html",
      "<!doctype html><body><video src=\"out.mp4\" preload=\"auto\" muted></video><script>onload = () => {"
      "const v = document.querySelector('video');"
      "document.body.textContent = `${v.videoWidth}x${v.videoHeight}, ${v.error}, ${v.duration.toFixed(1)} s`"
      "}</script></body>");
  const reel_test::ChildProcess::Environment environment{{"HOME", scratch.path()},
                                                         {"TMPDIR", scratch.path()},
                                                         {"XDG_CONFIG_HOME", scratch.path()},
                                                         {"XDG_CACHE_HOME", scratch.path()}};
  auto browser = reel_test::ChildProcess::program(
      "chromium",
      {"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
       "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
       "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + scratch.file("profile"), "--dump-dom",
       "file://" + page},
      environment);
  EXPECT_TRUE(browser.wait().ok()) << browser.errors();
  EXPECT_THAT(browser.output(), HasSubstr("1280x720, null, 28.3 s")) << browser.errors();
}

}  // namespace
