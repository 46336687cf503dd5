// A pipeline whose sources are exchanged for a recording. Pure.
#pragma once

#include <string>
#include <vector>

#include <reel/pipeline/config.hpp>

/// `player` (a stage without inputs) takes the place of what writes its streams in `pipeline`, and of what
/// ran only for that. Throws reel::Error{bad_argument} where no stage of the pipeline reads any of them.
[[nodiscard]] reel::PipelineConfig with_player(reel::PipelineConfig pipeline, reel::StageConfig player);
