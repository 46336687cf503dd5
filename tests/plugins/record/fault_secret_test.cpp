// A camera's password is nowhere where people look for recordings: not in names, manifests, facts, pictures'
// files, index, log or metrics.
#include "recordings.hpp"

#include <rtsp_camera.hpp>
#include <served.hpp>

#include <filesystem>

#include <gmock/gmock.h>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "t0ps3cret";

TEST(FaultSecret, OfACamerasAddressIsInNoFileNameLogOrMetric) {
  const TempRuntimeDir runtime;
  capture_test::CameraSetup setup;
  setup.sound = true;
  setup.user = "viewer";
  setup.password = kSecret;
  capture_test::RtspCamera camera(setup);
  RunningPipeline pipeline(R"(
version: 1
name: secret
stages:
  camera:
    use: capture
    options: {uri: ")" + camera.uri(std::string("viewer:") + kSecret + "@") +
                               R"(", reconnect_delay: 100ms}
    out: {video: pictures, audio: sound}
  recorder: {use: record, in: [pictures, sound], options: {directory: recordings, segment: 1s}}
)",
                           {"--serve", "127.0.0.1:0"});
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(pipeline.wait_for_log("wrote 2")) << pipeline.log();
  camera.stop();
  ASSERT_TRUE(wait_for_health(port, 503, "camera: disconnected")) << pipeline.log();
  for (const char* page : {"/metrics", "/health"})
    EXPECT_THAT(get(port, page).body, Not(HasSubstr(kSecret))) << page;
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log() + pipeline.reel().output(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(pipeline.scratch().read("summary.json"), Not(HasSubstr(kSecret)));
  const std::string directory = pipeline.scratch().path() + "/recordings";
  ASSERT_FALSE(finished_in(directory).empty());
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(kSecret)));
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(read_file(entry.path()).find(kSecret), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 4U) << "a file, its facts and manifest, and the index";
}

}  // namespace
}  // namespace reel_test
