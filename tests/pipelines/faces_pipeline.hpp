// The pipeline of the quickstart on an endless loop, with names of its own, and beside it a source with a
// witness that nobody touches. For tests that look at it while it runs. Single-thread.
#pragma once

#include "running_pipeline.hpp"

#include <array>
#include <map>
#include <string>

namespace reel_test {

/// Its video lies in anonymous memory, its sound and the witness's numbers in /dev/shm.
class FacesPipeline {
 public:
  static constexpr std::array kStages{"camera", "faces", "overlay", "level", "screen"};
  static constexpr std::array kUntouched{"numbers", "witness"};

  /// Starts it. The page takes any port; no window, but where `arguments` ask for one. REQUIRES: a
  /// TempRuntimeDir.
  explicit FacesPipeline(std::vector<std::string> arguments = {},
                         const ChildProcess::Environment& environment = {});

  [[nodiscard]] RunningPipeline& running() noexcept { return running_; }
  /// What the names of its streams begin with; nobody else's do.
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }
  /// The full name of camera, microphone, faces, annotated, loudness or numbers.
  [[nodiscard]] std::string stream(const std::string& name) const { return prefix_ + "-" + name; }
  /// The process of every stage, the untouched ones too; waits until each has one.
  [[nodiscard]] std::map<std::string, pid_t> pids() const;
  /// Waits until every stage has taken (or given) so many frames more than now.
  [[nodiscard]] bool goes_on(long frames) const;
  /// Waits for the page and returns its address.
  [[nodiscard]] std::string page() const;
  /// Asks it to end; it must end well.
  void finish();

 private:
  std::string prefix_;
  RunningPipeline running_;
};

}  // namespace reel_test
