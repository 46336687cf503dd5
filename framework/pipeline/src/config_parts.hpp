// The parts of a pipeline file, each read into its value. Mistakes go to the problems. Single-thread.
#pragma once

#include "values.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <reel/pipeline/config.hpp>

namespace reel {

/// `streams:`
[[nodiscard]] std::map<std::string, StreamConfig> read_streams(const YamlNode& node, Problems& problems);
/// `stages:`
[[nodiscard]] std::vector<StageConfig> read_stages(const YamlNode& node, Problems& problems);
/// `in:` of a stage; `what` names the stage.
[[nodiscard]] std::vector<InputConfig> read_inputs(const YamlNode& node, const std::string& what,
                                                   Problems& problems);
/// `join:` of a stage: a tolerance, or a map.
[[nodiscard]] JoinRule read_join(const YamlNode& node, const std::string& what, Problems& problems);
/// `out:` of a stage.
[[nodiscard]] std::vector<OutputConfig> read_outputs(const YamlNode& node, const std::string& what,
                                                     Problems& problems);

/// `serve` and `health` of the pipeline; its stages have been read.
void read_service(MapReader& map, PipelineConfig& config);

/// Adds a problem unless `name` can be a stream's.
void require_stream_name(const std::string& name, const std::string& where, Problems& problems);

/// Pipelines and stages: `[A-Za-z0-9][A-Za-z0-9_-]{0,31}`, and no dots, which separate names.
[[nodiscard]] bool valid_part_name(std::string_view name) noexcept;
inline constexpr std::string_view kPartNameRule =
    "1 to 32 letters, digits, _ and -, beginning with a letter or digit";

}  // namespace reel
