// One pipeline run by `reel run` in a process of its own, from text: for tests that look at it, signal it and
// kill its stages. Everything it makes lies in directories of its own, gone with it. Single-thread.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <sys/types.h>

namespace reel_test {

class RunningPipeline {
 public:
  /// Starts `reel run` on a file with that text. REQUIRES: a TempRuntimeDir.
  explicit RunningPipeline(const std::string& text, std::vector<std::string> arguments = {},
                           const ChildProcess::Environment& environment = {});

  [[nodiscard]] ChildProcess& reel() noexcept { return reel_; }
  [[nodiscard]] const ScratchDir& scratch() const noexcept { return scratch_; }
  /// Of the stage's process; 0 when it has none now.
  [[nodiscard]] pid_t stage(const std::string& name) const;
  /// Waits until it has one, other than `before`.
  [[nodiscard]] pid_t wait_for_stage(const std::string& name, pid_t before = 0) const;
  /// What a stage has taken (a source: given) by the last line of `--progress`; 0 before the first.
  [[nodiscard]] long frames(const std::string& stage) const;
  /// Waits until it is that many.
  [[nodiscard]] bool wait_for_frames(const std::string& stage, long enough) const;
  /// All that it has logged so far.
  [[nodiscard]] std::string log() const { return reel_.errors(); }
  /// Waits until its log holds the text.
  [[nodiscard]] bool wait_for_log(const std::string& text) const;

  /// Waits for its end.
  ExitStatus wait(std::chrono::milliseconds watchdog = kWatchdog) { return reel_.wait(watchdog); }
  /// After the end: what --summary-json wrote.
  [[nodiscard]] nlohmann::json summary() const;
  /// Of the summary.
  [[nodiscard]] nlohmann::json stage_summary(const std::string& name) const;
  /// The line of JSON that a synthetic.verify ended with; null when it wrote none.
  [[nodiscard]] nlohmann::json verdict(const std::string& stage) const;

 private:
  ScratchDir scratch_;
  ChildProcess reel_;
};

}  // namespace reel_test
