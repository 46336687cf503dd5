#include "graph_draft.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

// Options of an exec stage: `command` alone, a list of words or one line for the shell.
std::vector<std::string> exec_command(const StageConfig& stage, Problems& problems) {
  for (const auto& [name, value] : stage.options) {
    if (name != "command") {
      problems.add(value.where, fmt::format("stage '{}' (exec) has no option '{}'{} (allowed: command)",
                                            stage.name, name, did_you_mean(name, {"command"})));
    }
  }
  const auto found = stage.options.find("command");
  if (found != stage.options.end()) {
    const OptionValue& command = found->second;
    if (command.is_list && !command.items.empty() && !command.items.front().empty()) return command.items;
    if (!command.is_list && !command.text.empty()) return {"/bin/sh", "-c", command.text};
  }
  problems.add(
      found != stage.options.end() ? found->second.where : stage.where,
      fmt::format("stage '{}' (exec) needs the option 'command': a list of words, or one line for the shell",
                  stage.name));
  return {};
}

void check_options(const StageConfig& stage, const PluginDescriptor& plugin,
                   const std::string& base_directory, Problems& problems) {
  try {
    const Options check({plugin.options, plugin.option_count}, stage.options, base_directory);
  } catch (const Error& error) {
    problems.add(error.where().empty() ? stage.where : error.where(),
                 fmt::format("stage '{}' ({}): {}", stage.name, stage.use, error.message()));
  }
}

}  // namespace

DraftStage draft_stage(const StageConfig& stage, const PipelineConfig& config, PluginCatalog& catalog,
                       Problems& problems) {
  DraftStage draft;
  draft.config = &stage;
  draft.exec = stage.use == "exec";
  if (draft.exec) {
    draft.command = exec_command(stage, problems);
    return draft;
  }
  try {
    const PluginCatalog::Entry entry = catalog.find(stage.use);
    draft.plugin = entry.descriptor;
    draft.path = entry.path;
  } catch (const Error& error) {
    problems.add(stage.use_where, fmt::format("stage '{}': {}", stage.name, error.what()));
    return draft;
  }
  check_options(stage, *draft.plugin, config.base_directory, problems);
  return draft;
}

}  // namespace reel
