// `reel play`: a recording's streams again, as a pipeline of one stage that any other can read.
#include "commands.hpp"
#include "play_into.hpp"
#include "step_pipe.hpp"
#include "validators.hpp"

#include "play/recording.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace {

struct PlayOptions {
  std::string path, recording, from, to;
  double speed = 1;
  bool step = false;
  bool encoded = false;
  bool loop = false;
  bool no_serve = false;
  std::vector<std::string> streams;  // "NAME" or "NAME=NEW"
  std::string skip_gaps = "0";
  std::optional<unsigned> readers;
  std::string name = "play";
  std::string into;
};

// A stream of the recording and what it is called now.
struct Played {
  std::string recorded, published;
};

std::vector<std::string> names_of(const record::Recording& recording) {
  std::vector<std::string> names;
  for (const record::FactsTrack& track : recording.streams()) names.push_back(track.stream);
  return names;
}

std::vector<Played> played_streams(const PlayOptions& options) {
  const std::vector<std::string> names =
      names_of(record::find_recording({options.path, options.recording, options.from, options.to}));
  std::vector<Played> played;
  for (const std::string& text : options.streams) {
    const std::string recorded = text.substr(0, text.find('='));
    if (std::find(names.begin(), names.end(), recorded) == names.end()) {
      const auto near = reel::nearest_name(recorded, names);
      throw reel::Error(
          reel::ErrorCode::bad_argument,
          fmt::format("--stream: there is no stream '{}' in it{} but {}", recorded,
                      near ? fmt::format(": did you mean '{}'?", *near) : "", reel::join_or(names)));
    }
    played.push_back({recorded, recorded.size() < text.size() ? text.substr(recorded.size() + 1) : recorded});
  }
  if (played.empty())
    for (const std::string& name : names) played.push_back({name, name});
  return played;
}

// JSON is YAML.
std::string pipeline_text(const PlayOptions& options, const std::vector<Played>& streams,
                          const std::string& steps) {
  nlohmann::json recorded = nlohmann::json::array();
  nlohmann::json published = nlohmann::json::array();
  for (const Played& one : streams) {
    recorded.push_back(one.recorded);
    published.push_back(one.published);
  }
  nlohmann::json stage_options = {{"path", std::filesystem::absolute(options.path).string()},
                                  {"recording", options.recording},
                                  {"from", options.from},
                                  {"to", options.to},
                                  {"streams", std::move(recorded)},
                                  {"encoded", options.encoded},
                                  {"loop", options.loop},
                                  {"skip_gaps", options.skip_gaps},
                                  {"wait_for", options.readers.value_or(options.into.empty() ? 1 : 0)}};
  if (steps.empty())
    stage_options["speed"] = options.speed;
  else
    stage_options["steps"] = steps;
  const nlohmann::json stage = {{"use", "playback"},
                                {"options", std::move(stage_options)},
                                {"out", std::move(published)},
                                {"restart", "never"}};
  return nlohmann::json{{"version", 1}, {"name", options.name}, {"stages", {{"playback", stage}}}}.dump();
}

// The pipeline of --into may run already, on its cameras: then its address is taken.
reel::PipelineReport supervise(reel::Graph graph) {
  const std::string serve = graph.serve ? graph.serve->text() : "";
  try {
    return reel::Supervisor(std::move(graph), {}).run();
  } catch (const reel::Error& error) {
    const bool taken = error.code() == reel::ErrorCode::in_use && !serve.empty() &&
                       error.message().find(serve) != std::string::npos;
    if (!taken) throw;
    throw reel::Error(error.code(), error.message() + "; or leave /metrics and /health out: --no-serve");
  }
}

int play(const PlayOptions& options) {
  reel::LogOptions log;
  log.source = "reel";
  reel::configure_logging(log);
  const std::vector<Played> streams = played_streams(options);
  std::optional<StepPipe> steps;
  if (options.step) steps.emplace();
  const std::string text = pipeline_text(options, streams, steps ? steps->path() : "");
  reel::PipelineConfig config = reel::parse_pipeline(text, "reel play");
  if (!options.into.empty())
    config = with_player(reel::load_pipeline(options.into), std::move(config.stages.front()));
  if (options.no_serve) config.serve.reset();
  reel::ModuleCatalog catalog(config.plugin_path);
  reel::Graph graph = reel::build_graph(config, catalog);
  for (const Played& one : streams)
    reel::log_info(fmt::format("stream {}: what was recorded of {}", one.published, one.recorded));
  const reel::PipelineReport report = supervise(std::move(graph));
  fmt::print("{}", reel::report_table(report));
  return report.status;
}

}  // namespace

void add_play(CLI::App& app, CommandResult& result) {
  auto options = std::make_shared<PlayOptions>();
  CLI::App* command = app.add_subcommand("play", "Publishes a recording's streams again");
  command->add_option("PATH", options->path, "a recorded file, or a directory of recordings")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--recording", options->recording, "which one of a directory; not needed for the only one")
      ->type_name("NAME");
  command->add_option("--from", options->from, "where to begin: a time, or +90s after the recording's start")
      ->type_name("TIME");
  command->add_option("--to", options->to, "where to end; the same")->type_name("TIME");
  CLI::Option* speed = command->add_option("--speed", options->speed,
                                           "1: as it was; 2: twice as fast; 0: as fast as readers take it");
  speed->check(CLI::Range(0.0, 1000.0));
  command->add_flag("--step", options->step, "one picture each Enter, with the sound before it")
      ->excludes(speed);
  command->add_flag("--loop", options->loop, "begin again at the end, with times that go on");
  command->add_flag("--encoded", options->encoded, "give what the files hold, not decoded");
  command
      ->add_option("--stream", options->streams,
                   "publish this stream alone (again and again: these), under another name: front=replay")
      ->type_name("NAME=NEW")
      ->expected(1)
      ->take_all();
  command->add_option("--skip-gaps", options->skip_gaps, "make longer times without any frame so short: 2s")
      ->type_name("DURATION");
  command
      ->add_option(
          "--readers", options->readers,
          "readers that must have come before the first frame; 1, or with --into those of the pipeline")
      ->check(whole_number(0, 64));
  command->add_option("--name", options->name, "of the pipeline, for `reel top` and `reel stop`")
      ->type_name("NAME");
  CLI::Option* into = command->add_option(
      "--into", options->into,
      "run this pipeline, with the recording in place of what writes these streams in it");
  into->type_name("YAML");
  command
      ->add_flag("--no-serve", options->no_serve,
                 "leave out its `serve`: the one that runs on the cameras has that address")
      ->needs(into);
  command->footer(
      "Frames have the times, flags and side data that they had. TIME is one such as\n"
      "2026-11-22T14:03:00Z, \"2026-11-22 14:03\" or 14:03 (local), -10min (ago), or +90s.\n"
      "A pipeline's stages read them by --into or `use: playback`; `reel verify`, `reel snapshot` and\n"
      "programs by their names.\n"
      "Example: reel play recordings --from +5s --speed 0 --stream video=camera --into "
      "configs/filters/motion.yaml");
  command->callback([options, &result] { result.status = play(*options); });
}
