// A pipeline of which one stage is looked at in a debugger: for the supervisor. Pure.
#pragma once

#include <string>

#include <reel/pipeline/graph.hpp>

namespace reel {

/// The graph with nobody who loses patience while `stage` stands still: its processes wait for a debugger
/// (wait_for_debugger() in stage/supervised.hpp), writers wait for their readers as long as it takes, and
/// stages are given a day to drain. Throws Error{bad_argument} where there is no such stage, or it is a
/// program (`use: exec`), whose process is not ours. The graph as it is for the stage "".
[[nodiscard]] Graph for_debugger(Graph graph, const std::string& stage);

/// What asks a stage's process to drain.
[[nodiscard]] int drain_signal_of(const Graph& graph, const std::string& stage) noexcept;

}  // namespace reel
