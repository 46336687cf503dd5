#include "live_names.hpp"

#include "recordings_running.hpp"

#include <algorithm>
#include <set>

#include <reel/base/error.hpp>
#include <reel/channel/observer.hpp>
#include <reel/pipeline/config.hpp>
#include <reel/pipeline/control.hpp>
#include <reel/stage/loader.hpp>

namespace {

constexpr int kPatience_ms = 500;  // somebody waits for the shell

std::vector<NamedThing> things(const std::vector<std::string>& names) {
  std::vector<NamedThing> all;
  for (const std::string& name : names) all.push_back({name, ""});
  return all;
}

}  // namespace

std::vector<NamedThing> names_of_streams() {
  return things(reel::list_streams());
}

std::vector<NamedThing> names_of_pipelines() {
  return things(reel::list_pipelines());
}

std::vector<NamedThing> names_of_recordings() {
  return things(running_recordings());
}

std::vector<NamedThing> names_of_plugins() {
  return things(reel::list_plugins(reel::plugin_directories({})));
}

std::vector<NamedThing> names_of_running_stages(const std::vector<std::string>& named) {
  const std::vector<std::string> running = reel::list_pipelines();
  const auto asked_for = [&](const std::string& pipeline) {
    return std::find(named.begin(), named.end(), pipeline) != named.end();
  };
  const bool any = std::any_of(running.begin(), running.end(), asked_for);
  std::set<std::string> seen;
  std::vector<NamedThing> stages;
  for (const std::string& pipeline : running) {
    if (any && !asked_for(pipeline)) continue;
    try {
      for (const std::string& stage : reel::PipelineControl(pipeline, kPatience_ms).status().stages)
        if (seen.insert(stage).second) stages.push_back({stage, "of " + pipeline});
    } catch (const reel::Error&) {
      // It has ended meanwhile, or belongs to somebody else.
    }
  }
  return stages;
}

std::vector<NamedThing> names_of_stages_in(const std::string& file) {
  std::vector<NamedThing> stages;
  for (const reel::StageConfig& stage : reel::load_pipeline(file).stages)
    stages.push_back({stage.name, stage.use});
  return stages;
}

std::vector<NamedThing> names_of_settings(const std::string& file, const std::string& stage) {
  const reel::PipelineConfig config = reel::load_pipeline(file);
  std::vector<NamedThing> settings;
  for (const reel::StageConfig& one : config.stages) {
    if (one.name != stage || one.use == "exec" || one.use == "gst") continue;
    const reel::Plugin plugin = reel::load_plugin(one.use, reel::plugin_directories(config.plugin_path));
    for (const reel::OptionSpec& option : plugin.options())
      settings.push_back({stage + "." + option.name + "=", option.help});
  }
  return settings;
}
