#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include <reel/pipeline/report.hpp>

namespace reel {
namespace {

constexpr std::size_t kColumns = 13;
using Row = std::array<std::string, kColumns>;

constexpr std::array<const char*, kColumns> kHeads{"stage",    "state",      "restarts", "stream", "frames",
                                                   "verified", "corrupted",  "skipped",  "lapped", "latency",
                                                   "99 %",     "end to end", "CPU"};
constexpr std::array<bool, kColumns> kLeft{true, true, false, true};

// Three digits and a unit: a table of latencies is compared at a glance.
std::string duration_text(std::int64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  if (nanoseconds < 1'000) return fmt::format("{} ns", nanoseconds);
  if (nanoseconds < 1'000'000) return fmt::format("{:.3g} us", value / 1e3);
  if (nanoseconds < 10'000'000'000) return fmt::format("{:.4g} ms", value / 1e6);
  return fmt::format("{:.4g} s", value / 1e9);
}

// Nothing was measured: no number rather than a wrong one.
std::string latency_text(std::int64_t nanoseconds) {
  return nanoseconds > 0 ? duration_text(nanoseconds) : "-";
}

Row input_row(const InputReport& input) {
  Row row;
  row[3] = "< " + input.stream;
  row[4] = std::to_string(input.frames);
  row[5] = std::to_string(input.verified);
  row[6] = std::to_string(input.corrupted);
  row[7] = std::to_string(input.skipped);
  row[8] = std::to_string(input.lapped);
  row[9] = latency_text(input.hop_median_ns);
  row[10] = latency_text(input.hop_p99_ns);
  row[11] = latency_text(input.end_to_end_median_ns);
  return row;
}

Row output_row(const OutputReport& output) {
  Row row;
  row[3] = "> " + output.stream;
  row[4] = std::to_string(output.frames);
  return row;
}

void add_stage(const StageReport& stage, std::vector<Row>& rows) {
  std::vector<Row> own;
  for (const InputReport& input : stage.inputs) own.push_back(input_row(input));
  for (const OutputReport& output : stage.outputs) own.push_back(output_row(output));
  if (own.empty()) own.emplace_back();
  own.front()[0] = stage.name;
  own.front()[1] = stage.state;
  own.front()[2] = std::to_string(stage.restarts);
  own.front()[12] = fmt::format("{:.1f} %", stage.cpu_percent);
  rows.insert(rows.end(), own.begin(), own.end());
}

std::string line_text(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (i > 0) line += "  ";
    line += kLeft[i] ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("{:>{}}", row[i], widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// What a stage has done so far, in one number.
std::uint64_t frames_of(const StageReport& stage) {
  std::uint64_t frames = 0;
  for (const InputReport& input : stage.inputs) frames += input.frames;
  if (!stage.inputs.empty()) return frames;
  for (const OutputReport& output : stage.outputs) frames += output.frames;
  return frames;
}

}  // namespace

std::string report_table(const PipelineReport& report) {
  std::vector<Row> rows(1);
  std::copy(kHeads.begin(), kHeads.end(), rows.front().begin());
  for (const StageReport& stage : report.stages) add_stage(stage, rows);
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table = fmt::format("pipeline {}: {:.1f} s\n", report.name, report.seconds);
  for (const Row& row : rows) table += line_text(row, widths);
  for (const StageReport& stage : report.stages) {
    if (!stage.reason.empty()) table += fmt::format("{}: {}: {}\n", stage.name, stage.state, stage.reason);
  }
  if (!report.failure.empty()) table += fmt::format("failed: {}\n", report.failure);
  return table;
}

std::string progress_line(const PipelineReport& report) {
  std::string line = fmt::format("{:.0f} s", report.seconds);
  for (const StageReport& stage : report.stages) line += fmt::format("  {} {}", stage.name, frames_of(stage));
  return line;
}

}  // namespace reel
