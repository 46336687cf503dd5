// One life of a launch line as a stage: played until its end, drained and stopped as the supervisor asks, its
// counters kept. Single-thread: the stage's first.
#pragma once

#include <reel/stage/run.hpp>
#include <reel/stage/stop_signal.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel::gst {

/// Returns when the pipeline has ended: by an end of stream at each of its sinks, or because it was stopped.
/// A drain sends an end of stream into a line without inputs; one with inputs ends with them. Throws Error:
/// {bad_config} and {unsupported} are not worth another try.
void run_launch(const StageSetup& setup, const StopSignal& stop, StagePage& page);

}  // namespace reel::gst
