// What a pipeline did, stage by stage: the table at the end of `reel run`, its JSON form and the line of
// progress. Pure values and text, filled by the supervisor. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct InputReport {
  std::string port, stream;
  std::uint64_t frames = 0, verified = 0, corrupted = 0, skipped = 0, lapped = 0, connects = 0;
  std::int64_t hop_median_ns = 0, hop_p99_ns = 0;  // published by the stage before -> in this one's hands
  std::int64_t end_to_end_median_ns = 0, end_to_end_p99_ns = 0;  // captured -> in this one's hands
  std::uint64_t hop_count = 0, hop_sum_ns = 0, end_to_end_count = 0, end_to_end_sum_ns = 0;
  std::uint64_t newest = 0;  // sequence of the frame taken or passed over last; 0: none, or not known
};

struct OutputReport {
  std::string port, stream;
  std::uint64_t frames = 0, bytes = 0, waits = 0, demoted = 0;
  std::uint64_t newest = 0;  // sequence of the frame given last
  bool blocked = false;      // its readers hold every slot
};

/// What a stage counts and measures besides (StageContext::metrics).
struct MetricReport {
  std::string name, stream, help;
  bool counter = false;  // else a gauge
  double value = 0;
};

struct StageReport {
  std::string name;
  std::string use;
  std::string state;      // of state_machine.hpp
  std::string reason;     // why, where it did not simply finish
  std::uint32_t pid = 0;  // of its present or last process
  std::uint32_t restarts = 0;
  double cpu_seconds = 0;          // user and system, of all its processes
  double cpu_percent = 0;          // of one core, over the pipeline's time
  std::uint64_t memory_bytes = 0;  // of its processes' own: the rings that they map apart; 0: it has none now
  std::int64_t busy_ms = 0;  // how long its present call of process() or produce() takes already; 0: in none
  bool sink = false;
  bool blocked = false;  // its readers hold every slot of one of its outputs
  std::vector<InputReport> inputs;
  std::vector<OutputReport> outputs;
  std::vector<MetricReport> metrics;
};

struct PipelineReport {
  std::string name;
  int status = 0;       // what `reel run` ends with: 0 or 1
  std::string failure;  // which stage failed and how; empty when none did
  double seconds = 0;
  std::vector<StageReport> stages;
};

/// Aligned columns, a line for each stage and one for each of its streams; ends with a new line.
[[nodiscard]] std::string report_table(const PipelineReport& report);

/// One object, times in nanoseconds: the fields above by name.
[[nodiscard]] std::string report_json(const PipelineReport& report);
/// The same, read again. Throws Error{protocol}.
[[nodiscard]] PipelineReport report_from_json(std::string_view text);

/// "12 s  camera 360  faces 180  screen 360": seconds, and frames taken (a source: given) by each stage.
[[nodiscard]] std::string progress_line(const PipelineReport& report);

}  // namespace reel
