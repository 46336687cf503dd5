// What the state machine is told of a graph: who runs what, after whom, and how long things may take. Pure.
#pragma once

#include <vector>

#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/state_machine.hpp>

namespace reel {

[[nodiscard]] StagePlan plan_of(const GraphStage& stage);
[[nodiscard]] std::vector<StagePlan> plans_of(const Graph& graph);
[[nodiscard]] MachineTimings timings_of(const Graph& graph);

}  // namespace reel
