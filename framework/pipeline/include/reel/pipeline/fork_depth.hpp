// Streams that part and meet again at a join: where one way gives frames more rarely than the other has room
// for, everything comes to a standstill. `reel check` warns of it. Pure; thread-safe.
#pragma once

#include <vector>

#include <reel/pipeline/machine.hpp>

namespace reel {

/// One for each pair of inputs of a joining stage (StageConfig::join) that come from one stage, when that
/// stage must write more frames for one frame of the first input than the way to the second can hold without
/// the join taking any: all slots of the streams on a way that is lossless throughout. What is left out on
/// the way (`every`; `max_fps` by a rate of 30) is counted; frames that plugins, programs and launch lines
/// keep to themselves are not known.
[[nodiscard]] std::vector<Lack> shallow_forks(const Graph& graph);

}  // namespace reel
