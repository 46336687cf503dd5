// One stage of a running pipeline: its page, which outlives its processes, and the process it has now, if
// any. Single-thread.
#pragma once

#include "child_process.hpp"
#include "line_splitter.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <reel/pipeline/control.hpp>
#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/report.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

class StageProcess {
 public:
  using LineSink = std::function<void(std::string_view line)>;

  explicit StageProcess(GraphStage stage);

  /// What its next process runs. Its counters begin anew where its ports have changed.
  void change(GraphStage stage);

  /// Starts `host`, a path and arguments that come first, with `setup` (the stage's own, as changed for a
  /// restart). Throws Error. REQUIRES: no process; `host` is not empty.
  void start(const std::vector<std::string>& host, const StageSetup& setup);
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

  using GoesOn = std::function<bool(const std::string& stream)>;
  /// To be told before it is asked to end: what its process reads that `successor` (its own next one; none:
  /// empty) reads on, and which of its streams somebody writes on. Their readers and writers notice nothing.
  void hand_over(const std::vector<InputSetup>& successor, const GoesOn& goes_on) noexcept;
  /// Whether the process that it has was told to write the stream.
  [[nodiscard]] bool writes(const std::string& stream) const noexcept;
  /// Tells the stage, and every later process of it, that the writer of its input is gone for good.
  void end_input(std::size_t index) noexcept;
  /// The same of a reader of one of its streams, or that it is there (again).
  void mark_reader(const std::string& stream, const std::string& reader, bool ended) noexcept;

  /// Has its present and later processes write spans, and gives its page. Throws Error{no_memory}.
  [[nodiscard]] TracedStage trace();
  void end_trace() noexcept;

  /// The stage's page says that it is running.
  [[nodiscard]] bool says_running() const noexcept;
  /// True when frames have moved since the last call.
  [[nodiscard]] bool has_progressed() noexcept;

  /// How long it has been at work on one frame, waiting for nobody, as far as was seen by calling this again
  /// and again; in milliseconds.
  [[nodiscard]] std::int64_t busy_ms(std::int64_t now_ms) noexcept;

  /// Name, pid, processor time and counters; state, restarts and the like are the supervisor's to add.
  [[nodiscard]] StageReport report() const;

 private:
  void have_spans_written();
  void go_on_tracing();

  GraphStage stage_;
  StageSetup told_;  // what its present or last process was
  StagePageMapping page_;
  std::optional<ChildProcess> child_;
  LineSplitter output_, error_;
  pid_t last_pid_ = 0;
  double past_cpu_seconds_ = 0;
  mutable double told_cpu_seconds_ = 0;  // a count never falls
  std::uint64_t frames_seen_ = 0;
  bool ports_changed_ = false;
  bool traced_ = false;
  std::int64_t call_seen_ns_ = 0, busy_since_ms_ = 0;
  std::int64_t busy_ms_ = 0;  // as of the last look
};

}  // namespace reel
