// Names that there are at this moment: streams, pipelines, stages, recordings, plugins. Single-thread; may
// throw reel::Error.
#pragma once

#include <string>
#include <vector>

struct NamedThing {
  std::string name, meaning;  // the latter may be empty
};

[[nodiscard]] std::vector<NamedThing> names_of_streams();
[[nodiscard]] std::vector<NamedThing> names_of_pipelines();
[[nodiscard]] std::vector<NamedThing> names_of_recordings();
[[nodiscard]] std::vector<NamedThing> names_of_plugins();
/// Of all running pipelines, or those among them that are `named`.
[[nodiscard]] std::vector<NamedThing> names_of_running_stages(const std::vector<std::string>& named);
[[nodiscard]] std::vector<NamedThing> names_of_stages_in(const std::string& file);
/// "faces.threshold=": of a stage that runs a plugin.
[[nodiscard]] std::vector<NamedThing> names_of_settings(const std::string& file, const std::string& stage);
