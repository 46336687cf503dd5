// Runs a pipeline: one process a stage, restarted, drained and stopped as state_machine.hpp says; never
// touches a frame. Single-thread, and from one thread only: children die with the thread that started them
// (PR_SET_PDEATHSIG).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <reel/base/log.hpp>
#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/report.hpp>

namespace reel {

/// The functions are called from threads of the supervisor's, on_output from one and the others from another,
/// in the order in which things happened. One that is slow slows down the stages that print; one that blocks
/// for more than a second (whoever reads our standard error has stopped) holds up neither the supervisor nor
/// a stage: lines wait, and those beyond 16 MiB are dropped, which a line of the log tells. What they throw
/// is lost. on_debuggee holds everything up, and must not throw.
struct SupervisorOptions {
  std::string stage_host;              // the stage host's path; empty: find_stage_host()
  int duration_ms = 0;                 // drain after so long; 0: never
  std::optional<ListenAddress> serve;  // instead of the pipeline's own (PipelineConfig)
  int progress_ms = 0;                 // between two calls of on_progress; 0: no calls
  /// By stage: a program's path and arguments that its process is run by, as in {"valgrind", "-q"}.
  std::map<std::string, std::vector<std::string>> wrappers;
  /// The stage whose processes wait for a debugger before they begin, and whom nobody loses patience with
  /// (debugging.hpp); empty: none. Then on_debuggee is required: it is told the pid of each, in the thread of
  /// run().
  std::string debugged;
  std::function<void(int pid)> on_debuggee;
  /// A log line of a stage, or of the supervisor itself (about a stage, or source "reel"). Default: log_as().
  std::function<void(std::string_view source, LogLevel level, std::string_view line)> on_log;
  /// A line that a stage wrote on its standard output: its result. Default: the bare line on our standard
  /// output.
  std::function<void(std::string_view stage, std::string_view line)> on_output;
  std::function<void(const PipelineReport& report)> on_progress;
};

class Supervisor {
 public:
  Supervisor(Graph graph, SupervisorOptions options);
  ~Supervisor();  // kills what still runs
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Blocks until every stage has ended and every line was handed on. SIGINT, SIGTERM and SIGHUP drain the
  /// pipeline; a second one hurries it. Throws Error when it cannot begin (no stage host, a runtime directory
  /// that is not ours, a stream of the pipeline that another process writes); nothing is left running then.
  /// REQUIRES: called once.
  [[nodiscard]] PipelineReport run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// $REEL_STAGE_HOST, else reel-stage-host of the build or installation that libreel itself belongs to.
/// Throws Error{not_found} that says where it looked.
[[nodiscard]] std::string find_stage_host();

/// The same of the program that runs launch lines (`use: gst`): $REEL_GST_STAGE_HOST, else
/// reel-gst-stage-host.
[[nodiscard]] std::string find_gst_stage_host();

}  // namespace reel
