#include "stage_plans.hpp"

namespace reel {

StagePlan plan_of(const GraphStage& stage) {
  return {stage.config.name, stage.config.restart, stage.upstream, stage.exec()};
}

std::vector<StagePlan> plans_of(const Graph& graph) {
  std::vector<StagePlan> plans;
  for (const GraphStage& stage : graph.stages) plans.push_back(plan_of(stage));
  return plans;
}

MachineTimings timings_of(const Graph& graph) {
  MachineTimings timings;
  timings.drain_ms = graph.drain_timeout_ms;
  timings.stop_ms = graph.stop_timeout_ms;
  if (!graph.debugged.empty()) timings.orphan_ms = timings.drain_ms;
  return timings;
}

}  // namespace reel
