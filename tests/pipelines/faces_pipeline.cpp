#include "faces_pipeline.hpp"

#include <algorithm>
#include <csignal>
#include <vector>

#include <gtest/gtest.h>

namespace reel_test {
namespace {

// %P: the prefix of every stream's name.
constexpr const char* kFaces = R"(
version: 1
name: faces
x-back-soon: &back {restart: on-failure, restart_delay: 50ms}
streams:
  %P-camera: {slots: 8, checksum: full}
  %P-microphone: {memory: posix}
  %P-loudness: {memory: posix}
  %P-numbers: {memory: posix}
stages:
  camera:
    <<: *back
    use: capture
    options: {uri: "%C", realtime: true, loop: true}
    out: {video: %P-camera, audio: %P-microphone}
  faces: {<<: *back, use: opencv.faces, in: {stream: %P-camera, policy: latest}, out: %P-faces}
  overlay: {<<: *back, use: opencv.overlay, in: %P-faces, out: %P-annotated}
  level: {<<: *back, use: audio.level, in: %P-microphone, out: %P-loudness}
  screen: {<<: *back, use: display, in: [%P-annotated, %P-loudness], options: {port: 0, window: never}}
  numbers: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: %P-numbers}
  witness: {use: synthetic.verify, in: %P-numbers}
)";

std::string with(std::string text, const std::string& mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
  return text;
}

std::vector<std::string> all_stages() {
  std::vector<std::string> all(FacesPipeline::kStages.begin(), FacesPipeline::kStages.end());
  all.insert(all.end(), FacesPipeline::kUntouched.begin(), FacesPipeline::kUntouched.end());
  return all;
}

}  // namespace

FacesPipeline::FacesPipeline(std::vector<std::string> arguments, const ChildProcess::Environment& environment)
    : prefix_(unique_name("f")),
      running_(with(with(kFaces, "%P", prefix_), "%C", REEL_CONFIGS "/../apps/media/hello.mp4"),
               std::move(arguments), environment) {}

std::map<std::string, pid_t> FacesPipeline::pids() const {
  std::map<std::string, pid_t> pids;
  for (const std::string& stage : all_stages()) pids[stage] = running_.wait_for_stage(stage);
  return pids;
}

bool FacesPipeline::goes_on(long frames) const {
  std::map<std::string, long> wanted;
  for (const std::string& stage : all_stages()) wanted[stage] = running_.frames(stage) + frames;
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto& stage) { return running_.wait_for_frames(stage.first, stage.second); });
}

std::string FacesPipeline::page() const {
  const std::string start = "page: http://";
  EXPECT_TRUE(running_.wait_for_log(start)) << running_.log();
  const std::string log = running_.log();
  const std::size_t at = log.rfind(start) + 6;
  return log.substr(at, log.find('\n', at) - at);
}

void FacesPipeline::finish() {
  running_.reel().signal(SIGINT);
  EXPECT_TRUE(running_.wait().ok()) << running_.log();
}

}  // namespace reel_test
