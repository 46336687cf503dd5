// `reel graph`: a pipeline drawn, of a file or as it runs.
#include "commands.hpp"
#include "graph_text.hpp"
#include "running.hpp"
#include "samples.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/control.hpp>
#include <reel/pipeline/graph.hpp>

namespace {

struct GraphOptions {
  std::string what;
  std::vector<std::string> overrides;
  std::string format = "mermaid";
};

Drawing drawing_of(const reel::Graph& graph) {
  Drawing drawing{graph.name, {}, {}};
  for (const reel::GraphStage& stage : graph.stages)
    drawing.stages.push_back({stage.config.name, stage.config.use});
  for (const reel::GraphStream& stream : graph.streams) {
    const std::string& from = graph.stages[stream.writer].config.name;
    for (const std::size_t reader : stream.readers)
      drawing.streams.push_back({from, graph.stages[reader].config.name, stream.name});
    if (stream.readers.empty()) drawing.streams.push_back({from, "", stream.name});
  }
  return drawing;
}

Drawing drawing_of_running(const std::string& name) {
  const PipelineSample sample = sample_pipeline(name, kRateWindow_ms);
  const reel::PipelineStatus& status = sample.now;
  Drawing drawing{status.report.name, {}, {}};
  for (const reel::StageReport& stage : status.report.stages) {
    if (sample.in_pipeline(stage))
      drawing.stages.push_back({stage.name, fmt::format("{}\n{}, {:.0f} % CPU", stage.use, stage.state,
                                                        sample.cpu_percent(stage.name))});
  }
  for (const reel::StreamEdges& stream : status.streams) {
    const std::string rate = fmt::format("{}\n{:.1f} /s", stream.stream, sample.rate_of(stream.stream));
    for (const std::string& reader : stream.readers) drawing.streams.push_back({stream.writer, reader, rate});
    if (stream.readers.empty()) drawing.streams.push_back({stream.writer, "", rate});
  }
  return drawing;
}

Drawing draw(const GraphOptions& options) {
  const bool file = std::filesystem::is_regular_file(options.what) || options.what.ends_with(".yaml") ||
                    options.what.ends_with(".yml");
  if (!file && !options.overrides.empty())
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "--set: changes what a file says; this pipeline runs already");
  if (!file) return drawing_of_running(choose_pipeline(options.what));
  const reel::PipelineConfig config = reel::load_pipeline(options.what, options.overrides);
  reel::ModuleCatalog catalog(config.plugin_path);
  return drawing_of(reel::build_graph(config, catalog));
}

// To our standard output, by graphviz.
void print_svg(const std::string& dot) {
  std::fflush(stdout);
  std::FILE* pipe = ::popen("exec dot -Tsvg", "w");
  if (pipe == nullptr) reel::throw_errno(errno, "cannot start dot");
  std::fwrite(dot.data(), 1, dot.size(), pipe);
  const int status = ::pclose(pipe);
  constexpr int kNoSuchProgram = 127 << 8;
  if (status == kNoSuchProgram)
    throw reel::Error(reel::ErrorCode::unsupported,
                      "--format svg: the program dot is not here: install graphviz, or take mermaid or dot");
  if (status != 0) throw reel::Error(reel::ErrorCode::io, fmt::format("dot failed (wait status {})", status));
}

void graph(const GraphOptions& options) {
  const Drawing drawing = draw(options);
  if (options.format == "svg")
    print_svg(dot_text(drawing));
  else
    fmt::print("{}", options.format == "dot" ? dot_text(drawing) : mermaid_text(drawing));
}

}  // namespace

void add_graph(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<GraphOptions>();
  CLI::App* command = app.add_subcommand("graph", "Draw a pipeline's stages and streams");
  command
      ->add_option("WHAT", options->what,
                   "a pipeline's YAML file, or the name of one that runs; may be left out where one runs")
      ->type_name("PIPELINE|YAML");
  command->add_option("--set", options->overrides, "change a value of the file, as in `reel run`")
      ->type_name("SETTING")
      ->expected(1)
      ->take_all();
  command->add_option("--format", options->format, "mermaid, dot, or svg (by graphviz)")
      ->check(CLI::IsMember({"mermaid", "dot", "svg"}))
      ->capture_default_str();
  command->footer(
      "Of a running pipeline, streams are shown with their frames a second, measured over a second, and "
      "stages with "
      "their state.\nExample: reel graph configs/quickstart.yaml --format svg > quickstart.svg");
  command->callback([options] { graph(*options); });
}
