// `reel run`: a pipeline from its first frame to its last, then a table of what it did.
#include "commands.hpp"
#include "debugger.hpp"
#include "programs.hpp"
#include "validators.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/machine.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace {

constexpr int kProgressMs = 1000;

struct RunOptions {
  std::string file;
  double duration_s = 0;
  std::vector<std::string> overrides;
  bool log_json = false;
  bool verbose = false;
  bool progress = false;
  std::string summary_file;
  std::string serve;
  std::string debugged;
  std::vector<std::string> gdb_commands;
  std::vector<std::string> wrappers;
};

// The line of progress on standard error. On a terminal it is rewritten in place, and steps aside for each
// line that is printed there. Thread-safe.
class Progress {
 public:
  void show(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (terminal_) {
      fmt::print(stderr, "\r\033[K{}", line);
      std::fflush(stderr);
      shown_ = true;
    } else {
      fmt::print(stderr, "{}\n", line);
    }
  }

  template <typename Print>
  void step_aside(Print&& print) {
    const std::lock_guard lock(mutex_);
    if (shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
    print();
  }

 private:
  std::mutex mutex_;
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
};

void print_result(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

// Opened before the pipeline runs: a file that cannot be written is better known then.
std::ofstream open_summary(const std::string& file) {
  std::ofstream stream;
  if (file.empty()) return stream;
  stream.open(file);
  if (!stream) {
    const std::string why = std::generic_category().message(errno);
    throw reel::Error(reel::ErrorCode::bad_argument,
                      fmt::format("--summary-json: cannot be written: {}", why), file);
  }
  return stream;
}

void configure_log(const RunOptions& options) {
  reel::LogOptions log;
  log.style = options.log_json ? reel::LogStyle::json : reel::LogStyle::text;
  log.least = options.verbose ? reel::LogLevel::debug : reel::LogLevel::info;
  log.source = "reel";
  reel::configure_logging(log);
}

// "faces=valgrind -q": the words before the program of that stage's process.
void check_wrappable(const std::string& name, const reel::Graph& graph) {
  std::vector<std::string> names;
  for (const reel::GraphStage& stage : graph.stages) {
    names.push_back(stage.config.name);
    if (stage.config.name != name) continue;
    if (!stage.exec()) return;
    throw reel::Error(
        reel::ErrorCode::bad_argument,
        fmt::format("--wrap: the stage \"{}\" is a program of its own (use: exec): put the other "
                    "in front of its command",
                    name));
  }
  throw reel::Error(reel::ErrorCode::bad_argument,
                    fmt::format("--wrap: there is no stage \"{}\" but {}", name, reel::join_or(names)));
}

std::map<std::string, std::vector<std::string>> parse_wrappers(const std::vector<std::string>& texts,
                                                               const reel::Graph& graph) {
  std::map<std::string, std::vector<std::string>> wrappers;
  for (const std::string& text : texts) {
    const std::string stage = text.substr(0, text.find('='));
    std::istringstream rest(stage.size() < text.size() ? text.substr(stage.size() + 1) : "");
    std::vector<std::string> words;
    for (std::string word; rest >> word;) words.push_back(std::move(word));
    if (words.empty())
      throw reel::Error(reel::ErrorCode::bad_argument,
                        fmt::format("--wrap: '{}' is not STAGE=COMMAND, as in 'faces=valgrind -q'", text));
    check_wrappable(stage, graph);
    if (wrappers.contains(stage))
      throw reel::Error(reel::ErrorCode::bad_argument, fmt::format("--wrap: '{}' is wrapped twice", stage));
    const std::string program = find_program(words.front());
    if (program.empty())
      throw reel::Error(
          reel::ErrorCode::bad_argument,
          fmt::format("--wrap: there is no program '{}' here: install it, or give its path", words.front()));
    words.front() = std::filesystem::absolute(program);  // stages run in other directories
    wrappers[stage] = std::move(words);
  }
  return wrappers;
}

reel::PipelineReport supervise(reel::Graph graph, const RunOptions& options) {
  Progress progress;
  reel::SupervisorOptions supervisor;
  supervisor.duration_ms = static_cast<int>(options.duration_s * 1000);
  if (!options.serve.empty()) supervisor.serve = reel::listen_address_from(options.serve);
  supervisor.wrappers = parse_wrappers(options.wrappers, graph);
  std::optional<Debugger> debugger;
  if (!options.debugged.empty()) {
    debugger.emplace(options.gdb_commands);
    supervisor.debugged = options.debugged;
    supervisor.on_debuggee = [&](int pid) { debugger->attach(options.debugged, pid); };
  }
  supervisor.on_log = [&](std::string_view source, reel::LogLevel level, std::string_view line) {
    progress.step_aside([&] { reel::log_as(source, level, line); });
  };
  // Elsewhere than on a terminal, results do not wait for whoever reads the log.
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  supervisor.on_output = [&progress, terminal](std::string_view, std::string_view line) {
    if (terminal)
      progress.step_aside([&] { print_result(line); });
    else
      print_result(line);
  };
  if (options.progress) {
    supervisor.progress_ms = kProgressMs;
    supervisor.on_progress = [&](const reel::PipelineReport& report) {
      if (options.log_json)
        reel::log_as("reel", reel::LogLevel::info, reel::progress_line(report));
      else
        progress.show(reel::progress_line(report));
    };
  }
  reel::PipelineReport report = reel::Supervisor(std::move(graph), std::move(supervisor)).run();
  progress.step_aside([] {});
  return report;
}

int run(const RunOptions& options) {
  configure_log(options);
  const reel::PipelineConfig config = reel::load_pipeline(options.file, options.overrides);
  reel::ModuleCatalog catalog(config.plugin_path);
  reel::Graph graph = reel::build_graph(config, catalog);
  if (const std::vector<reel::Lack> lacks = reel::missing_cpus(graph); !lacks.empty())
    throw reel::Error(reel::ErrorCode::bad_config, lacks.front().text, lacks.front().where);
  std::ofstream summary = open_summary(options.summary_file);
  const reel::PipelineReport report = supervise(std::move(graph), options);
  // Before the table, which waits for whoever reads it.
  const bool summed_up = !summary.is_open() || (summary << reel::report_json(report) << '\n' << std::flush);
  fmt::print("{}", reel::report_table(report));
  if (summed_up) return report.status;
  fmt::print(stderr, "reel: {}: the summary could not be written\n", options.summary_file);
  return 1;
}

}  // namespace

void add_run(CLI::App& app, CommandResult& result) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Runs a pipeline until its sources have ended");
  command->add_option("FILE", options->file, "the pipeline's YAML file")->required()->type_name("YAML");
  command->add_option("--duration", options->duration_s, "seconds after which the sources are asked to end")
      ->check(seconds(0.001, 2'000'000));
  command
      ->add_option("--set", options->overrides,
                   "change a value: stage.option=value, streams.NAME.key=value, stages.NAME.key=value")
      ->type_name("SETTING")
      ->expected(1)
      ->take_all();
  command->add_flag("--log-json", options->log_json, "log one JSON object a line");
  command->add_flag("--verbose", options->verbose, "log the smallest things too");
  command->add_flag("--progress", options->progress,
                    "show a line of progress every second, on standard error");
  command
      ->add_option("--summary-json", options->summary_file, "write the closing table to this file, as JSON")
      ->type_name("FILE");
  command
      ->add_option("--serve", options->serve,
                   "serve /metrics and /health over HTTP there: 127.0.0.1:9477, or a port; 0 is any free one")
      ->type_name("ADDRESS");
  CLI::Option* gdb = command->add_option(
      "--gdb", options->debugged,
      "this stage waits for gdb, which is started in this terminal; without one it says what to type");
  gdb->type_name("STAGE");
  command
      ->add_option("--gdb-ex", options->gdb_commands,
                   "what gdb is told then, in order; without a terminal gdb ends behind the last")
      ->type_name("COMMAND")
      ->needs(gdb)
      ->expected(1)
      ->take_all();
  command
      ->add_option("--wrap", options->wrappers,
                   "run the stage's process by a program, as in 'faces=valgrind -q'")
      ->type_name("STAGE=COMMAND")
      ->expected(1)
      ->take_all();
  command->footer(
      "Logs go to standard error; what stages print, and the table at the end, to standard output.\n"
      "Ctrl-C drains the pipeline from its sources; once more hurries it, and again kills it.\n"
      "Example: reel run configs/quickstart.yaml --set camera.uri=$PWD/clip.mp4 --duration 10");
  command->callback([options, &result] { result.status = run(*options); });
}
