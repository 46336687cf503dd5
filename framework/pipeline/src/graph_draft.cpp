#include "graph_draft.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/stage/launch_line.hpp>

namespace reel {
namespace {

constexpr std::array kGstOptions{OptionSpec{
    "launch", OptionType::text, nullptr,
    "what gst-launch-1.0 would run; the stage's streams go to the reelsrc and reelsink without one"}};

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

bool check_options(const StageConfig& stage, std::span<const OptionSpec> options,
                   const std::string& base_directory, Problems& problems) {
  try {
    const Options check(options, stage.options, base_directory);
    return true;
  } catch (const Error& error) {
    problems.add(error.where().empty() ? stage.where : error.where(),
                 fmt::format("stage '{}' ({}): {}", stage.name, stage.use, error.message()));
    return false;
  }
}

// REQUIRES: checked. Of those that are defaults, too, so that the stage is the same whichever directory its
// file lies in.
std::map<std::string, OptionValue> with_absolute_paths(std::map<std::string, OptionValue> values,
                                                       std::span<const OptionSpec> specs,
                                                       const std::string& base_directory) {
  const Options checked(specs, values, base_directory);
  for (const OptionSpec& spec : specs)
    if (spec.type == OptionType::path && !checked.text(spec.name).empty())
      values[spec.name].text = checked.text(spec.name);
  return values;
}

std::string count_text(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Each stream of a gst stage needs an element in the launch line, and each such element a stream.
void check_open_ends(const StageConfig& stage, const OptionValue& launch, Problems& problems) {
  const std::vector<OpenEnd> ends = open_ends(launch.text);
  const auto sources = static_cast<std::size_t>(
      std::count_if(ends.begin(), ends.end(), [](const OpenEnd& end) { return end.source; }));
  const auto check = [&](std::size_t elements, std::size_t streams, const char* element, const char* what) {
    if (elements == streams) return;
    problems.add(
        launch.where,
        fmt::format("stage '{}' (gst) has {}, and its launch line {} '{}' without a stream of its own: "
                    "there must be as many",
                    stage.name, count_text(streams, what), elements, element));
  };
  check(sources, stage.inputs.size(), "reelsrc", "input");
  check(ends.size() - sources, stage.outputs.size(), "reelsink", "output");
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
  draft.gst = stage.use == "gst";
  if (draft.gst) {
    draft.options = stage.options;
    if (check_options(stage, kGstOptions, config.base_directory, problems))
      check_open_ends(stage, stage.options.at("launch"), problems);
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
  const std::span<const OptionSpec> specs(draft.plugin->options, draft.plugin->option_count);
  if (check_options(stage, specs, config.base_directory, problems))
    draft.options = with_absolute_paths(stage.options, specs, config.base_directory);
  return draft;
}

}  // namespace reel
