// A camera that stalls, goes away and comes back, as those see it who watch the service.
#include "rtsp_camera.hpp"
#include "served.hpp"

#include <gmock/gmock.h>
#include <reel_test/notify_socket.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using capture_test::CameraSetup;
using capture_test::RtspCamera;
using ::testing::HasSubstr;
using ::testing::Not;

std::string pipeline_on(const std::string& uri, const std::string& stall = "60s") {
  return "version: 1\nname: yard\nserve: 127.0.0.1:0\nhealth: {stall_timeout: 2s}\n"
         "streams: {pictures: {live: true}}\nstages:\n"
         "  camera: {use: capture, options: {uri: \"" +
         uri + "\", reconnect_delay: 100ms, reconnect_delay_max: 500ms, stall_timeout: " + stall +
         "}, out: pictures}\n"
         "  sink: {use: synthetic.verify, options: {pattern: none}, in: {stream: pictures, policy: queue}}\n";
}

long metric(std::uint16_t port, const std::string& name) {
  const std::string text = get(port, "/metrics").body;
  const std::string start = "\n" + name + "{pipeline=\"yard\",stage=\"camera\"} ";
  const std::size_t place = text.find(start);
  return place == std::string::npos ? -1 : std::stol(text.substr(place + start.size()));
}

TEST(CameraHealth, IsRedWhileTheCameraStallsAndGreenAgain) {
  const TempRuntimeDir runtime;
  RtspCamera camera;
  RunningPipeline pipeline(pipeline_on(camera.uri(), "4s"));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  EXPECT_EQ(metric(port, "reel_stage_connected"), 1);
  EXPECT_GE(metric(port, "reel_stage_connections_total"), 1);
  camera.hang();  // it stays connected to, and says nothing
  EXPECT_TRUE(wait_for_health(port, 503, "camera: "));
  EXPECT_THAT(nlohmann::json::parse(get(port, "/health").body)["reason"], Not(HasSubstr("sink")));
  camera.go_on();
  EXPECT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(CameraHealth, IsRedAtOnceWhileTheCameraIsAwayAndCountsItsReturns) {
  const TempRuntimeDir runtime;
  RtspCamera camera;
  RunningPipeline pipeline(pipeline_on(camera.uri()));
  const std::uint16_t port = served_port(pipeline);
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  for (int lives = 2; lives <= 3; ++lives) {
    camera.stop();
    EXPECT_TRUE(wait_for_health(port, 503, "camera: disconnected")) << pipeline.log();
    EXPECT_EQ(metric(port, "reel_stage_connected"), 0);
    camera.start();
    EXPECT_TRUE(wait_for_health(port, 200)) << pipeline.log();
    EXPECT_EQ(metric(port, "reel_stage_connections_total"), lives);
    EXPECT_GE(metric(port, "reel_stage_failed_connections_total"), lives - 1);
  }
  const ReelRun top = run_reel({"top", "yard", "--count", "1"});
  EXPECT_THAT(top.output, HasSubstr("camera: connected 1, connections 3, failed_connections "));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(CameraHealth, ShowsNoPassword) {
  const TempRuntimeDir runtime;
  CameraSetup setup;
  setup.user = "viewer";
  setup.password = "t0ps3cret";
  RtspCamera camera(setup);
  NotifySocket systemd("@" + unique_name("reel-systemd"));
  RunningPipeline pipeline(pipeline_on(camera.uri("viewer:t0ps3cret@")), {},
                           {{"NOTIFY_SOCKET", systemd.address()}});
  const std::uint16_t port = served_port(pipeline);
  const auto expect_none = [&] {
    for (const char* page : {"/metrics", "/health"}) {
      const std::string text = get(port, page).body;
      EXPECT_THAT(text, HasSubstr("camera"));
      EXPECT_THAT(text, Not(HasSubstr("t0ps3cret"))) << page;
      EXPECT_THAT(text, Not(HasSubstr("viewer"))) << page;
    }
    for (const std::string& line : systemd.lines()) EXPECT_THAT(line, Not(HasSubstr("t0ps3cret")));
  };
  ASSERT_TRUE(wait_for_health(port, 200)) << pipeline.log();
  expect_none();
  camera.stop();
  EXPECT_THAT(systemd.wait_for("STATUS=camera: disconnected"), HasSubstr("no frame"));
  expect_none();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

}  // namespace
}  // namespace reel_test
