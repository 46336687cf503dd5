// What a file may ask of a stage's inputs, once it is known what they carry and who reads them. Mistakes go
// to the problems. Single-thread.
#pragma once

#include "graph_ports.hpp"
#include "problems.hpp"

namespace reel {

/// `every` and `max_fps`: not of audio nor of encoded media, and not for programs and launch lines.
void check_choices(const DraftStage& stage, const StreamMedia& media, Problems& problems);

/// `join`: of two or more inputs of raw video or bytes, each with kJoinPins or more, of a plugin's stage.
void check_join(const DraftStage& stage, const StreamMedia& media, Problems& problems);

/// Joined streams that all come from one source share its time line: where the file leaves the choice open,
/// their frames are joined by it.
void settle_join_times(Graph& graph);

}  // namespace reel
