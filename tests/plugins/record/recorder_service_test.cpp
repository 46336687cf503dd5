// configs/recorder.yaml as it stands, on two cameras: what it records, what it tells of itself, and what it
// says of a camera that goes away.
#include "recordings.hpp"

#include <rtsp_camera.hpp>
#include <served.hpp>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/notify_socket.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using capture_test::CameraSetup;
using capture_test::RtspCamera;
using ::testing::HasSubstr;
using ::testing::Not;

class RecorderService : public ::testing::Test {
 protected:
  RecorderService() : gate_(camera(true)), yard_(camera(false)) {}

  static CameraSetup camera(bool sound) {
    CameraSetup setup;
    setup.sound = sound;
    setup.user = "viewer";
    setup.password = "t0ps3cret";
    return setup;
  }
  ChildProcess start(const std::vector<std::string>& settings = {}) {
    std::vector<std::string> arguments{"run", REEL_CONFIGS "/recorder.yaml", "--serve", "127.0.0.1:0"};
    std::vector<std::string> all{"record-gate.segment=2s", "record-yard.segment=2s",
                                 "gate.stall_timeout=3s",  "gate.reconnect_delay_max=1s",
                                 "record-gate.min_free=0", "record-yard.min_free=0"};
    all.insert(all.end(), settings.begin(), settings.end());
    for (const std::string& setting : all) arguments.insert(arguments.end(), {"--set", setting});
    return ChildProcess::program(reel_command(), arguments,
                                 {{"GATE", gate_.uri()},
                                  {"YARD", yard_.uri()},
                                  {"CAMERA_USER", "viewer"},
                                  {"CAMERA_PASSWORD", "t0ps3cret"},
                                  {"RECORDINGS", directory()},
                                  {"NOTIFY_SOCKET", systemd_.address()}});
  }
  [[nodiscard]] std::string directory() const { return scratch_.path() + "/recordings"; }
  /// Of the stage; -1 while there is none.
  static double number(std::uint16_t port, const std::string& name, const std::string& stage) {
    const std::string text = get(port, "/metrics").body;
    const std::string start = "\n" + name + "{pipeline=\"recorder\",stage=\"" + stage + "\"} ";
    const std::size_t place = text.find(start);
    return place == std::string::npos ? -1 : std::stod(text.substr(place + start.size()));
  }

  const TempRuntimeDir runtime_;
  const ScratchDir scratch_;
  RtspCamera gate_, yard_;
  NotifySocket systemd_{"@" + unique_name("reel-systemd")};
};

TEST_F(RecorderService, RecordsBothAndTellsOfIt) {
  ChildProcess reel = start();
  const std::uint16_t port = served_port(reel);
  ASSERT_TRUE(wait_for_health(port, 200)) << reel.errors();
  EXPECT_EQ(systemd_.wait_for("READY=1"), "READY=1");
  for (const char* stage : {"record-gate", "record-yard"}) {
    EXPECT_TRUE(wait_until([&] { return number(port, "reel_stage_segments_total", stage) >= 2; }))
        << reel.errors();
    EXPECT_GT(number(port, "reel_stage_written_bytes_total", stage), 1000);
    EXPECT_EQ(number(port, "reel_stage_lost_frames_total", stage), 0);
    EXPECT_EQ(number(port, "reel_stage_working", stage), 1);
    EXPECT_GT(number(port, "reel_stage_disk_free_bytes", stage), 0);
    EXPECT_GE(number(port, "reel_stage_spool_frames", stage), 0);
  }
  EXPECT_TRUE(wait_until([&] { return number(port, "reel_stage_segment_age_seconds", "record-gate") > 0; }));
  reel.signal(SIGTERM);
  EXPECT_TRUE(reel.wait().ok()) << reel.errors();
  const auto segments = finished_in(directory());
  EXPECT_EQ(segments_in(directory()).size(), segments.size()) << "one was left open";
  expect_intact(directory(), segments);
  ASSERT_FALSE(segments.empty());
  bool with_sound = false;
  for (const auto& segment : segments) with_sound = with_sound || segment.tracks.size() == 2;
  EXPECT_TRUE(with_sound);
}

TEST_F(RecorderService, IsRedWhileACameraStallsAndGoesOnRecordingTheOther) {
  ChildProcess reel = start();
  const std::uint16_t port = served_port(reel);
  ASSERT_TRUE(wait_for_health(port, 200)) << reel.errors();
  gate_.hang();
  EXPECT_TRUE(wait_for_health(port, 503, "gate: disconnected")) << reel.errors();
  const double before = number(port, "reel_stage_segments_total", "record-yard");
  EXPECT_TRUE(wait_until([&] { return number(port, "reel_stage_segments_total", "record-yard") > before; }));
  gate_.go_on();
  EXPECT_TRUE(wait_for_health(port, 200)) << reel.errors();
  reel.signal(SIGTERM);
  EXPECT_TRUE(reel.wait().ok()) << reel.errors();
  expect_intact(directory(), finished_in(directory()));
}

TEST_F(RecorderService, ShowsNobodyThePassword) {
  ChildProcess reel = start();
  const std::uint16_t port = served_port(reel);
  ASSERT_TRUE(wait_for_health(port, 200)) << reel.errors();
  gate_.stop();
  EXPECT_TRUE(wait_for_health(port, 503, "gate: disconnected"));
  for (const char* page : {"/metrics", "/health"})
    EXPECT_THAT(get(port, page).body, Not(HasSubstr("t0ps3cret"))) << page;
  reel.signal(SIGTERM);
  EXPECT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_THAT(reel.errors() + reel.output(), Not(HasSubstr("t0ps3cret")));
  for (const std::string& line : systemd_.lines()) EXPECT_THAT(line, Not(HasSubstr("t0ps3cret")));
}

}  // namespace
}  // namespace reel_test
