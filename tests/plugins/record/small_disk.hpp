// Pipelines whose recordings go to a disk of their own: a small tmpfs that nobody else sees. Takes
// missing_containers() to be empty. Single-thread.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/child_process.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {

class OnASmallDisk {
 public:
  OnASmallDisk(const OnASmallDisk&) = delete;
  OnASmallDisk& operator=(const OnASmallDisk&) = delete;
  ~OnASmallDisk() {
    if (reel_ > 0) ::kill(reel_, SIGKILL);
  }
  /// `stages` record the stream `pictures` (I420 of 320 x 240, 30 a second) into disk/recordings.
  OnASmallDisk(const std::string& size, const std::string& stages)
      : made_(std::filesystem::create_directory(disk())),
        shell_(ChildProcess::program(
            "unshare", {"--map-root-user", "--mount", "--propagation", "unchanged", "sh", "-c",
                        "mount -t tmpfs -o size=" + size + " none " + disk() +
                            " || exit 9; \"$1\" run \"$2\" & echo $!; wait $!; echo ended $?; read -r line",
                        "sh", reel_command(), scratch_.write("pipeline.yaml", text(stages))})) {
    reel_ = std::stoi(shell_.read_line().value_or("0"));
  }
  [[nodiscard]] std::string log() const { return shell_.errors(); }
  [[nodiscard]] bool wait_for_log(const std::string& line) const {
    return wait_until([&] { return log().find(line) != std::string::npos; });
  }
  /// As seen from here.
  [[nodiscard]] std::string disk_from_here() const {
    return "/proc/" + std::to_string(shell_.pid()) + "/root" + disk();
  }
  [[nodiscard]] std::string recordings() const { return disk_from_here() + "/recordings"; }
  void end() {
    ASSERT_GT(reel_, 0) << log();
    ::kill(reel_, SIGINT);
    EXPECT_EQ(shell_.wait_for_line("ended"), "ended 0") << log();
    reel_ = 0;
  }

 private:
  [[nodiscard]] std::string disk() const { return scratch_.path() + "/disk"; }
  [[nodiscard]] static std::string text(const std::string& stages) {
    return R"(
version: 1
name: disk
stages:
  source:
    use: synthetic.source
    options: {width: 320, height: 240, fps: 30, live: true}
    out: pictures
)" + stages;
  }

  ScratchDir scratch_;
  bool made_;
  ChildProcess shell_;
  int reel_ = 0;
};

}  // namespace reel_test
