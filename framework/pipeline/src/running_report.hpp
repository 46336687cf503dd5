// What a supervisor knows of its pipeline, put together for those who ask. Single-thread, the supervisor's.
#pragma once

#include "stage_process.hpp"

#include <deque>
#include <vector>

#include <reel/pipeline/control.hpp>
#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/report.hpp>
#include <reel/pipeline/state_machine.hpp>

namespace reel {

/// `seconds`: since the pipeline was started.
[[nodiscard]] PipelineReport report_of(const Graph& graph, const std::deque<StageProcess>& processes,
                                       const StateMachine& machine, double seconds);

/// `present`: the stages that have not been taken out.
[[nodiscard]] PipelineStatus status_of(const Graph& graph, const std::vector<bool>& present,
                                       const StateMachine& machine, PipelineReport report);

/// Every stage runs, or has had a process that did not get so far: one that fails at first is no reason to
/// keep whoever waits for the pipeline waiting.
[[nodiscard]] bool all_had_a_chance(const std::vector<bool>& present, const StateMachine& machine);

}  // namespace reel
