// One stage of a running pipeline: its page, which outlives its processes, and the process it has now, if
// any. Single-thread.
#pragma once

#include "child_process.hpp"
#include "line_splitter.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/report.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

class StageProcess {
 public:
  using LineSink = std::function<void(std::string_view line)>;

  explicit StageProcess(const GraphStage& stage);

  /// Starts `host` with `setup` (the stage's own, as changed for a restart). Throws Error. REQUIRES: no
  /// process.
  void start(const std::string& host, const StageSetup& setup);
  [[nodiscard]] bool has_process() const noexcept { return child_.has_value(); }
  [[nodiscard]] const ChildProcess& process() const { return *child_; }

  /// Hands on the lines that have come, never blocking; closes what has ended.
  void read_output(const LineSink& sink);
  void read_error(const LineSink& sink);
  /// The end of the process, once; its pipes must have been read by then, and what it left in them is read
  /// here.
  [[nodiscard]] std::optional<ProcessExit> poll_exit(const LineSink& output, const LineSink& error);

  /// Has no process afterwards, whatever becomes of the one it had.
  void give_up();

  /// Tells the stage, and every later process of it, that the writer of its input is gone for good.
  void end_input(std::size_t index) noexcept;
  /// The same of a reader of its output: the one at that place of the output's wait_for.
  void end_reader(std::size_t output, std::size_t reader) noexcept;

  /// The stage's page says that it is running.
  [[nodiscard]] bool says_running() const noexcept;
  /// True when frames have moved since the last call.
  [[nodiscard]] bool has_progressed() noexcept;

  /// Name, pid, processor time and counters; state, restarts and the like are the supervisor's to add.
  [[nodiscard]] StageReport report() const;

 private:
  const GraphStage& stage_;
  StagePageMapping page_;
  std::optional<ChildProcess> child_;
  LineSplitter output_, error_;
  pid_t last_pid_ = 0;
  double past_cpu_seconds_ = 0;
  std::uint64_t frames_seen_ = 0;
};

}  // namespace reel
