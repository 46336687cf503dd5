// The first step of a graph: each stage with its plugin found and its options checked. Mistakes go to the
// problems. Single-thread.
#pragma once

#include "graph_ports.hpp"
#include "problems.hpp"

#include <reel/pipeline/graph.hpp>

namespace reel {

/// The ports are still empty. The draft refers to `stage` and to what `catalog` found.
[[nodiscard]] DraftStage draft_stage(const StageConfig& stage, const PipelineConfig& config,
                                     PluginCatalog& catalog, Problems& problems);

}  // namespace reel
