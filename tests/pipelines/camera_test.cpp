// A camera with a password in a pipeline: the password is shown nowhere, and what is wrong with it is said.
#include "rtsp_camera.hpp"
#include "running_pipeline.hpp"

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using capture_test::CameraSetup;
using capture_test::RtspCamera;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "top/s3cret";
constexpr const char* kEscaped = "top%2Fs3cret";

CameraSetup protected_camera() {
  CameraSetup setup;
  setup.user = "viewer";
  setup.password = kPassword;
  return setup;
}

std::string pipeline_on(const std::string& uri, const std::string& more) {
  return "version: 1\nname: guarded\nstreams: {pictures: {live: true}}\nstages:\n"
         "  camera: {use: capture, options: {uri: \"" +
         uri + "\", reconnect_delay: 100ms, reconnect_delay_max: 500ms" + more +
         "}, out: pictures}\n"
         "  sink: {use: synthetic.verify, options: {pattern: none}, in: {stream: pictures, policy: queue}}\n";
}

std::string in_process(pid_t pid, const std::string& file) {
  return read_file("/proc/" + std::to_string(pid) + "/" + file);
}

void expect_no_password_in(const std::string& text, const std::string& what) {
  for (const char* secret : {kPassword, kEscaped}) EXPECT_THAT(text, Not(HasSubstr(secret))) << what;
}

/// Everything that others than the camera can see of it.
void expect_no_password(RunningPipeline& pipeline) {
  const pid_t stage = pipeline.wait_for_stage("camera");
  for (const char* file : {"cmdline", "environ"}) {
    expect_no_password_in(in_process(stage, file), file);
    expect_no_password_in(in_process(pipeline.reel().pid(), file), file);
  }
  for (const std::vector<std::string>& command : {std::vector<std::string>{"ls"},
                                                  {"ls", "--json"},
                                                  {"inspect", "pictures"},
                                                  {"graph", "guarded"},
                                                  {"top", "guarded", "--count", "1"},
                                                  {"logs", "guarded", "--lines", "2000"}}) {
    const ReelRun run = run_reel(command);
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_THAT(run.output + run.errors, AnyOf(HasSubstr("pictures"), HasSubstr("camera")));
    expect_no_password_in(run.output + run.errors, command[0]);
  }
  expect_no_password_in(pipeline.log() + pipeline.reel().output(), "the log");
}

TEST(CameraPassword, InTheUriIsShownNowhere) {
  const TempRuntimeDir runtime;
  RtspCamera camera(protected_camera());
  RunningPipeline pipeline(pipeline_on(camera.uri("viewer:" + std::string(kEscaped) + "@"), ""));
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.log();
  expect_no_password(pipeline);
  camera.stop();
  ASSERT_TRUE(pipeline.wait_for_log("trying again")) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr(camera.uri()));
  expect_no_password(pipeline);
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
  EXPECT_THAT(pipeline.log() + pipeline.reel().output(), Not(HasSubstr(kPassword)));
}

// All of its log, of the elements that connect: it goes the same way as the stage's own.
TEST(CameraPassword, IsNotInWhatGStreamerSays) {
  const TempRuntimeDir runtime;
  const RtspCamera camera(protected_camera());
  RunningPipeline pipeline(
      pipeline_on(camera.uri("viewer:" + std::string(kEscaped) + "@"), ""), {},
      {{"GST_DEBUG", "rtsp*:9,uridecodebin:9,GST_ELEMENT_FACTORY:9"}, {"GST_DEBUG_NO_COLOR", "1"}});
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 5)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
  const std::string log = pipeline.log() + pipeline.reel().output();
  EXPECT_THAT(log, HasSubstr("gstrtspsrc.c"));
  expect_no_password_in(log, "the log");
}

TEST(CameraPassword, ComesFromAFile) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const RtspCamera camera(protected_camera());
  const std::string file = scratch.write("password", std::string(kPassword) + "\n");
  RunningPipeline pipeline(pipeline_on(camera.uri(), ", user: viewer, password_file: \"" + file + "\""));
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.log();
  expect_no_password(pipeline);
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
}

TEST(CameraPassword, ComesFromTheEnvironment) {
  const TempRuntimeDir runtime;
  const RtspCamera camera(protected_camera());
  RunningPipeline pipeline(pipeline_on(camera.uri(), ", user: viewer, password: \"${CAMERA_PASSWORD}\""), {},
                           {{"CAMERA_PASSWORD", kPassword}});
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 10)) << pipeline.log();
  EXPECT_THAT(in_process(pipeline.wait_for_stage("camera"), "cmdline"), Not(HasSubstr(kPassword)));
  EXPECT_THAT(pipeline.log(), Not(HasSubstr(kPassword)));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
}

TEST(CameraPassword, ThatIsWrongIsSaidAndTriedAgain) {
  const TempRuntimeDir runtime;
  CameraSetup setup = protected_camera();
  setup.password = "another";
  RtspCamera camera(setup);
  RunningPipeline pipeline(pipeline_on(camera.uri("viewer:" + std::string(kEscaped) + "@"), ""));
  ASSERT_TRUE(pipeline.wait_for_log("refuses the user name \"viewer\" or its password")) << pipeline.log();
  camera.stop();
  camera.start(protected_camera());
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 5)) << pipeline.log();
  EXPECT_EQ(pipeline.log().find(kPassword), std::string::npos) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
  EXPECT_EQ(pipeline.stage_summary("camera")["restarts"], 0);
}

TEST(CameraPassword, ThatIsMissingIsAskedFor) {
  const TempRuntimeDir runtime;
  const RtspCamera camera(protected_camera());
  RunningPipeline pipeline(pipeline_on(camera.uri(), ""));
  EXPECT_TRUE(pipeline.wait_for_log("asks for a user name and password")) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok());
}

TEST(CameraConfig, Runs) {
  REEL_NEEDS(REEL_HAVE_QUICKSTART != 0 ? "" : "a plugin of the quickstart is not built here");
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  CameraSetup setup = protected_camera();
  setup.width = 640;
  setup.height = 360;
  const RtspCamera camera(setup);
  ChildProcess reel = ChildProcess::program(
      reel_command(),
      {"run", REEL_CONFIGS "/camera.yaml", "--set", "screen.port=0", "--set", "screen.window=never"},
      {{"CAMERA", camera.uri()},
       {"CAMERA_USER", "viewer"},
       {"CAMERA_PASSWORD", kPassword},
       {"OUT", scratch.path()}});
  EXPECT_TRUE(wait_until([&] { return !scratch.read("picture-1.png").empty() || !reel.running(); }));
  reel.signal(SIGINT);
  EXPECT_TRUE(reel.wait().ok()) << reel.errors();
  EXPECT_FALSE(scratch.read("picture-1.png").empty()) << reel.errors();
  EXPECT_EQ((reel.errors() + reel.output()).find(kPassword), std::string::npos) << reel.errors();
}

}  // namespace
}  // namespace reel_test
