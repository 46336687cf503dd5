// A stage host as a supervisor would start it, for tests. Single-thread.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <reel_test/child_process.hpp>

#include <reel/stage/run.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel::stage_tests {

/// The path of a plugin of this build, or of this suite's modules.
[[nodiscard]] std::string plugin_path(const std::string& name);

/// A setup of a stage `name` with these options.
[[nodiscard]] StageSetup setup_of(const std::string& name, const std::string& plugin,
                                  const std::vector<std::pair<std::string, std::string>>& options = {});
/// A lossless input, of the name "<stage>.in", that resumes after a restart.
void add_input(StageSetup& setup, const std::string& port, const std::string& stream,
               Policy policy = Policy::lossless);
/// An output that waits for the readers of these names.
void add_output(StageSetup& setup, const std::string& port, const std::string& stream,
                const std::vector<std::string>& wait_for = {});

/// A stage that is started, killed and started again over one page of counters.
class Host {
 public:
  explicit Host(StageSetup setup);

  void start();
  [[nodiscard]] const StagePage& page() const noexcept { return mapping_.page(); }
  [[nodiscard]] const InputCounters& input(std::size_t index = 0) const noexcept {
    return page().inputs[index];
  }
  [[nodiscard]] const OutputCounters& output(std::size_t index = 0) const noexcept {
    return page().outputs[index];
  }
  [[nodiscard]] StageState state() const noexcept;
  [[nodiscard]] reel_test::ChildProcess& process() { return *process_; }

  void signal(int number) { process_->signal(number); }
  /// Waits until it has processed, or published, so many frames more than now; false when it did not get
  /// there.
  [[nodiscard]] bool wait_for_more(std::uint64_t frames);
  /// Waits for its end. The exit status.
  reel_test::ExitStatus wait();
  /// What synthetic.verify reported; null when it has not.
  [[nodiscard]] nlohmann::json report() const;
  [[nodiscard]] std::string log() const { return process_->errors(); }

 private:
  [[nodiscard]] std::uint64_t frames() const noexcept;

  StageSetup setup_;
  StagePageMapping mapping_;
  std::optional<reel_test::ChildProcess> process_;
};

/// Frames, gaps, corrupted and duplicates of a report, in this order.
[[nodiscard]] std::vector<std::uint64_t> findings(const nlohmann::json& report);

}  // namespace reel::stage_tests
