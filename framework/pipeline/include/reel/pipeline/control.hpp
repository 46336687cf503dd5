// Pipelines that run, seen and steered from another process: what `reel top`, `logs`, `trace`, `stop`,
// `restart` and `apply` stand on. Each `reel run` listens at a socket of its own in the runtime directory,
// for its own user and root (CONTROL.md). Single-thread; every call blocks until it is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/pipeline/report.hpp>

namespace reel {

/// A stream between stages, by their names.
struct StreamEdges {
  std::string stream, writer;
  std::vector<std::string> readers;  // one entry an input: a stage may stand here twice
};

/// What a pipeline says of itself.
struct PipelineStatus {
  std::string file;                 // absolute path of what it runs, as applied last
  std::uint32_t pid = 0;            // of its supervisor
  bool draining = false;            // on its way to its end
  std::vector<std::string> stages;  // that belong to it now: the report has those that were taken out too
  std::vector<StreamEdges> streams;
  PipelineReport report;
};

/// A line of a pipeline's log.
struct LogLine {
  std::int64_t time_ns = 0;  // CLOCK_REALTIME
  std::string source;        // a stage, or "reel"
  LogLevel level = LogLevel::info;
  std::string text;
};

/// A stage of a pipeline that is traced: its page (stage_page.hpp), whose spans are read by SpanReader.
struct TracedStage {
  std::string stage, use;
  // What it is: where it runs a program (exec) or a GStreamer launch line, no spans come of it
  bool spans = true;
  UniqueFd page;  // cannot be written by it, where /proc is there
};

class PipelineControl {
 public:
  /// Throws Error{not_found} saying where was looked and what runs there, {no_permission}, {timeout}.
  explicit PipelineControl(const std::string& pipeline, int timeout_ms = 5000);
  PipelineControl(PipelineControl&&) noexcept;
  PipelineControl& operator=(PipelineControl&&) noexcept;
  ~PipelineControl();

  // All of these throw Error{closed} when the pipeline has ended meanwhile, {timeout} when it does not
  // answer, and what the pipeline objects to: {bad_argument}, {not_found}, {bad_config}.

  [[nodiscard]] PipelineStatus status();
  /// Drains it, as Ctrl-C at its `reel run` does; asked again, hurries.
  void stop();
  /// Ends the stage's process and starts it again at once, its streams not ended: their readers wait, and
  /// what it reads losslessly is kept for it.
  void restart(const std::string& stage);
  /// Changes the pipeline to what `file` (and `overrides`, as for load_pipeline) says now; only what differs
  /// is touched. Returns what was done, a line each; empty when nothing differs.
  [[nodiscard]] std::vector<std::string> apply(const std::string& file,
                                               const std::vector<std::string>& overrides = {});
  /// Hands the last `lines` lines of its log to `take`, oldest first, and with `follow` every later one until
  /// the pipeline ends or `take` returns false.
  void logs(std::size_t lines, bool follow, const std::function<bool(const LogLine& line)>& take);
  /// Has all stages write spans from the first call until this object is gone, and gives their pages: those
  /// that there are now, so that a later call finds stages that were added meanwhile. Others may trace the
  /// pipeline at the same time. Throws Error{no_memory} as well.
  [[nodiscard]] std::vector<TracedStage> trace();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Names of the pipelines that run, sorted, over all runtime directories this user may list.
[[nodiscard]] std::vector<std::string> list_pipelines();

}  // namespace reel
