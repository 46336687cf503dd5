#include "running_report.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace reel {

PipelineReport report_of(const Graph& graph, const std::deque<StageProcess>& processes,
                         const StateMachine& machine, double seconds) {
  PipelineReport report;
  report.name = graph.name;
  report.seconds = seconds;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    StageReport stage = processes[i].report();
    stage.state = to_string(machine.state(i));
    stage.reason = machine.reason(i);
    stage.restarts = machine.restarts(i);
    if (seconds > 0) stage.cpu_percent = 100 * stage.cpu_seconds / seconds;
    report.stages.push_back(std::move(stage));
  }
  if (const auto failed = machine.first_failure()) {
    report.status = 1;
    report.failure =
        fmt::format("stage '{}': {}", graph.stages[*failed].config.name, machine.reason(*failed));
  }
  return report;
}

PipelineStatus status_of(const Graph& graph, const std::vector<bool>& present, const StateMachine& machine,
                         PipelineReport report) {
  PipelineStatus status{graph.file,       static_cast<std::uint32_t>(::getpid()), machine.ending(), {}, {},
                        std::move(report)};
  for (std::size_t i = 0; i < graph.stages.size(); ++i)
    if (present[i]) status.stages.push_back(graph.stages[i].config.name);
  for (const GraphStream& stream : graph.streams) {
    status.streams.push_back({stream.name, graph.stages[stream.writer].config.name, {}});
    for (const std::size_t reader : stream.readers)
      status.streams.back().readers.push_back(graph.stages[reader].config.name);
  }
  return status;
}

bool all_had_a_chance(const std::vector<bool>& present, const StateMachine& machine) {
  for (std::size_t i = 0; i < present.size(); ++i) {
    const RunState state = machine.state(i);
    if (present[i] && (state == RunState::pending || state == RunState::starting)) return false;
  }
  return true;
}

}  // namespace reel
