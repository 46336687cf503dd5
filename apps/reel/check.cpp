// `reel check`: everything that can be wrong with a pipeline before it runs, and what would run.
#include "commands.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <reel/pipeline/fork_depth.hpp>
#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/machine.hpp>

namespace {

struct CheckOptions {
  std::string file;
  std::vector<std::string> overrides;
};

std::string stream_line(const reel::GraphStream& stream, const reel::Graph& graph) {
  std::vector<std::string> readers;
  for (const std::size_t reader : stream.readers) readers.push_back(graph.stages[reader].config.name);
  std::string line = fmt::format("  {}: {} -> {}", stream.name, graph.stages[stream.writer].config.name,
                                 readers.empty() ? "(nobody)" : fmt::format("{}", fmt::join(readers, ", ")));
  for (const reel::OutputSetup& output : graph.stages[stream.writer].setup.outputs) {
    const bool own = output.stream == stream.name && !graph.stages[stream.writer].exec();
    if (own) line += fmt::format(", {} slots", output.writer.slots);
  }
  return line;
}

std::string count_text(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void warn(const std::vector<reel::Lack>& lacks) {
  for (const reel::Lack& lack : lacks) fmt::print(stderr, "reel: warning: {}: {}\n", lack.where, lack.text);
}

void check(const CheckOptions& options) {
  const reel::PipelineConfig config = reel::load_pipeline(options.file, options.overrides);
  reel::ModuleCatalog catalog(config.plugin_path);
  const reel::Graph graph = reel::build_graph(config, catalog);
  warn(reel::missing_cpus(graph));
  warn(reel::missing_programs(graph));
  warn(reel::missing_elements(graph));
  warn(reel::shallow_forks(graph));
  fmt::print("{}: pipeline {}, {}, {}: fine\n", options.file, graph.name,
             count_text(graph.stages.size(), "stage"), count_text(graph.streams.size(), "stream"));
  for (const reel::GraphStage& stage : graph.stages)
    fmt::print("  {} ({})\n", stage.config.name, stage.config.use);
  for (const reel::GraphStream& stream : graph.streams) fmt::print("{}\n", stream_line(stream, graph));
}

}  // namespace

void add_check(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Checks a pipeline without running it");
  command->add_option("FILE", options->file, "the pipeline's YAML file")->required()->type_name("YAML");
  command->add_option("--set", options->overrides, "change a value, as in `reel run`")
      ->type_name("SETTING")
      ->expected(1)
      ->take_all();
  command->footer(
      "Every mistake is shown with its file and line; what this machine lacks, and joins "
      "that would come to a standstill, are warnings.\nExample: reel "
      "check configs/quickstart.yaml");
  command->callback([options] { check(*options); });
}
