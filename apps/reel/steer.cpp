// `reel stop`, `restart` and `apply`: a running pipeline told what to do.
#include "commands.hpp"
#include "running.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/config.hpp>
#include <reel/pipeline/control.hpp>

namespace {

struct StopOptions {
  std::string pipeline;
  bool wait = false;
};

void stop(const StopOptions& options) {
  const std::string name = choose_pipeline(options.pipeline);
  reel::PipelineControl pipeline(name);
  try {
    pipeline.stop();
    // The log ends with the pipeline.
    if (options.wait) pipeline.logs(0, true, [](const reel::LogLine&) { return true; });
  } catch (const reel::Error& error) {
    if (error.code() != reel::ErrorCode::closed) throw;  // it has ended, however
  }
}

struct RestartOptions {
  std::string stage, pipeline;
};

struct ApplyOptions {
  std::string file;
  std::vector<std::string> overrides;
};

void apply(const ApplyOptions& options) {
  // Here first: what is wrong with the file is told as by `reel check`, and its name says which pipeline is
  // meant.
  const std::string name = reel::load_pipeline(options.file, options.overrides).name;
  const std::vector<std::string> done = reel::PipelineControl(name).apply(options.file, options.overrides);
  if (done.empty()) fmt::print("{}: nothing differs\n", name);
  for (const std::string& line : done) fmt::print("{}\n", line);
}

}  // namespace

void add_stop(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<StopOptions>();
  CLI::App* command =
      app.add_subcommand("stop", "Drain a running pipeline, as Ctrl-C at its `reel run` does");
  add_pipeline_argument(*command, options->pipeline);
  command->add_flag("--wait", options->wait, "return when it has ended");
  command->footer("Once more hurries it, and again kills what is left.\nExample: reel stop faces --wait");
  command->callback([options] { stop(*options); });
}

void add_restart(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<RestartOptions>();
  CLI::App* command = app.add_subcommand("restart", "End a stage's process and start it again");
  command->add_option("STAGE", options->stage, "its name in the pipeline's file")->required();
  add_pipeline_argument(*command, options->pipeline);
  command->footer(
      "Its streams do not end: their readers wait for it. What it reads losslessly is kept for it "
      "meanwhile.\n"
      "Example: reel restart faces");
  command->callback(
      [options] { reel::PipelineControl(choose_pipeline(options->pipeline)).restart(options->stage); });
}

void add_apply(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = app.add_subcommand("apply", "Change a running pipeline to what its file says now");
  command->add_option("FILE", options->file, "the pipeline's YAML file; the pipeline of its name is changed")
      ->type_name("YAML")
      ->required();
  command->add_option("--set", options->overrides, "change a value, as in `reel run`")
      ->type_name("SETTING")
      ->expected(1)
      ->take_all();
  command->footer(
      "Only what differs is touched: stages are added, taken out, or restarted where their options, inputs "
      "or outputs "
      "changed.\nPrints a line for each.\nExample: reel apply configs/quickstart.yaml");
  command->callback([options] { apply(*options); });
}
