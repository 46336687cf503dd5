#include "top_table.hpp"

#include "table.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <reel/base/text.hpp>

namespace {

constexpr std::array kOrders{std::pair(TopOrder::file, std::string_view("file")),
                             std::pair(TopOrder::name, std::string_view("name")),
                             std::pair(TopOrder::cpu, std::string_view("cpu")),
                             std::pair(TopOrder::memory, std::string_view("memory")),
                             std::pair(TopOrder::rate, std::string_view("rate")),
                             std::pair(TopOrder::latency, std::string_view("latency")),
                             std::pair(TopOrder::losses, std::string_view("losses"))};

std::string duration_text(std::int64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  if (nanoseconds <= 0) return "-";
  if (nanoseconds < 1'000'000) return fmt::format("{:.0f} us", value / 1e3);
  if (nanoseconds < 10'000'000'000) return fmt::format("{:.1f} ms", value / 1e6);
  return fmt::format("{:.1f} s", value / 1e9);
}

// What a stage is sorted by: the greater comes first.
double weight_of(const PipelineSample& sample, const reel::StageReport& stage, TopOrder order) {
  double rate = 0, latency = 0, losses = 0;
  for (const reel::InputReport& input : stage.inputs) {
    rate = std::max(rate, sample.rate_of(stage.name, input));
    latency = std::max(latency, static_cast<double>(input.end_to_end_median_ns));
    losses += static_cast<double>(input.skipped + input.lapped + input.corrupted);
  }
  for (const reel::OutputReport& output : stage.outputs) rate = std::max(rate, sample.rate_of(output.stream));
  switch (order) {
    case TopOrder::cpu: return sample.cpu_percent(stage.name);
    case TopOrder::memory: return static_cast<double>(stage.memory_bytes);
    case TopOrder::rate: return rate;
    case TopOrder::latency: return latency;
    case TopOrder::losses: return losses;
    case TopOrder::file:
    case TopOrder::name: return 0;
  }
  return 0;
}

std::vector<const reel::StageReport*> sorted(const PipelineSample& sample, TopOrder order) {
  std::vector<const reel::StageReport*> stages;
  for (const reel::StageReport& stage : sample.now.report.stages)
    if (sample.in_pipeline(stage)) stages.push_back(&stage);
  if (order == TopOrder::name) {
    std::stable_sort(stages.begin(), stages.end(),
                     [](const auto* a, const auto* b) { return a->name < b->name; });
  } else if (order != TopOrder::file) {
    std::map<const reel::StageReport*, double> weights;
    for (const reel::StageReport* stage : stages) weights[stage] = weight_of(sample, *stage, order);
    std::stable_sort(stages.begin(), stages.end(),
                     [&](const auto* a, const auto* b) { return weights[a] > weights[b]; });
  }
  return stages;
}

using Row = std::vector<std::string>;
constexpr std::size_t kStageCells = 5, kStreamCells = 9;

Row input_cells(const PipelineSample& sample, const reel::StageReport& stage, const reel::InputReport& input,
                const HeldSlots& held) {
  const auto slots = held.find({input.stream, stage.pid});
  return {"< " + input.stream,
          fmt::format("{:.1f}", sample.rate_of(stage.name, input)),
          "",
          duration_text(input.hop_median_ns),
          duration_text(input.hop_p99_ns),
          duration_text(input.end_to_end_median_ns),
          std::to_string(input.skipped + input.lapped),
          std::to_string(input.corrupted),
          slots == held.end() ? "-" : fmt::format("{}/{}", slots->second.first, slots->second.second)};
}

Row output_cells(const PipelineSample& sample, const reel::OutputReport& output) {
  return {"> " + output.stream,
          fmt::format("{:.1f}", sample.rate_of(output.stream)),
          fmt::format("{:.1f}", sample.bytes_per_second_of(output.stream) / 1e6),
          "",
          "",
          "",
          "",
          "",
          ""};
}

Row stage_cells(const PipelineSample& sample, const reel::StageReport& stage) {
  return {stage.name, stage.state, std::to_string(stage.restarts),
          fmt::format("{:.1f}", sample.cpu_percent(stage.name)),
          stage.memory_bytes == 0 ? "-" : reel::bytes_text(stage.memory_bytes)};
}

// "camera: connected 1, reconnects 3": what it counts and measures besides.
std::string own_numbers(const reel::StageReport& stage) {
  std::string text;
  for (const reel::MetricReport& metric : stage.metrics)
    text += fmt::format("{} {}{} {}", text.empty() ? ":" : ",", reel::printable(metric.name),
                        metric.stream.empty() ? "" : " of " + reel::printable(metric.stream), metric.value);
  return stage.name + text;
}

}  // namespace

std::optional<TopOrder> top_order_from(std::string_view name) {
  for (const auto& [order, text] : kOrders)
    if (text == name) return order;
  return std::nullopt;
}

std::vector<std::string> top_order_names() {
  std::vector<std::string> names;
  for (const auto& [order, text] : kOrders) names.emplace_back(text);
  return names;
}

std::string_view to_string(TopOrder order) {
  for (const auto& [value, text] : kOrders)
    if (value == order) return text;
  return "";
}

std::vector<std::string> top_lines(const PipelineSample& sample, const HeldSlots& held, TopOrder order) {
  Table table({{"STAGE"},
               {"STATE"},
               {"RESTARTS", true},
               {"CPU %", true},
               {"MEMORY", true},
               {"STREAM"},
               {"FPS", true},
               {"MB/S", true},
               {"HOP", true},
               {"HOP 99 %", true},
               {"END TO END", true},
               {"LOST", true},
               {"CORRUPTED", true},
               {"HOLDS", true}});
  for (const reel::StageReport* stage : sorted(sample, order)) {
    std::vector<Row> streams;
    for (const reel::InputReport& input : stage->inputs)
      streams.push_back(input_cells(sample, *stage, input, held));
    for (const reel::OutputReport& output : stage->outputs) streams.push_back(output_cells(sample, output));
    if (streams.empty()) streams.emplace_back(kStreamCells);
    for (std::size_t i = 0; i < streams.size(); ++i) {
      Row row = i == 0 ? stage_cells(sample, *stage) : Row(kStageCells);
      row.insert(row.end(), streams[i].begin(), streams[i].end());
      table.add_row(std::move(row));
    }
  }
  const reel::PipelineStatus& now = sample.now;
  std::vector<std::string> lines{fmt::format("{}: {:.0f} s, supervisor {}, {}{}", now.report.name,
                                             now.report.seconds, now.pid, now.file,
                                             now.draining ? ", draining" : "")};
  for (std::string& line : table.lines()) lines.push_back(std::move(line));
  for (const reel::StageReport& stage : now.report.stages)
    if (!stage.metrics.empty() && sample.in_pipeline(stage)) lines.push_back(own_numbers(stage));
  for (const reel::StageReport& stage : now.report.stages)
    if (!stage.reason.empty() && sample.in_pipeline(stage))
      lines.push_back(fmt::format("{}: {}", stage.name, reel::printable(stage.reason)));
  return lines;
}
