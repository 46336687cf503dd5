// `reel logs`: the log of a running pipeline, from wherever it was started.
#include "commands.hpp"
#include "running.hpp"
#include "validators.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/control.hpp>

namespace {

constexpr std::uint64_t kMostLines = 2000;

struct LogsOptions {
  std::string pipeline, stage;
  std::uint64_t lines = 100;
  bool follow = false;
  bool json = false;
};

std::string_view level_text(reel::LogLevel level) {
  switch (level) {
    case reel::LogLevel::debug: return "debug";
    case reel::LogLevel::info: return "info";
    case reel::LogLevel::warning: return "warning";
    case reel::LogLevel::error: return "error";
  }
  return "";
}

std::string time_text(std::int64_t time_ns) {
  const std::time_t seconds = time_ns / 1'000'000'000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  return fmt::format("{}.{:03}", text.data(), time_ns / 1'000'000 % 1000);
}

void print(const reel::LogLine& line, bool json) {
  if (json)
    fmt::print("{}\n", nlohmann::ordered_json{{"time_ns", line.time_ns},
                                              {"level", level_text(line.level)},
                                              {"stage", line.source},
                                              {"message", line.text}}
                           .dump());
  else
    fmt::print("{} {} {}: {}\n", time_text(line.time_ns), level_text(line.level), line.source, line.text);
  std::fflush(stdout);
}

// One that was taken out has had its say.
void check_source(const reel::PipelineStatus& status, const std::string& stage) {
  std::vector<std::string> names{"reel"};
  for (const reel::StageReport& each : status.report.stages) names.push_back(each.name);
  if (std::find(names.begin(), names.end(), stage) != names.end()) return;
  const auto near = reel::nearest_name(stage, names);
  throw reel::Error(
      reel::ErrorCode::not_found,
      fmt::format("--stage: the pipeline \"{}\" has no stage \"{}\" but {}{}", status.report.name, stage,
                  reel::join_or(names), near ? fmt::format(": did you mean \"{}\"?", *near) : ""));
}

void logs(const LogsOptions& options) {
  reel::PipelineControl pipeline(choose_pipeline(options.pipeline));
  if (!options.stage.empty()) check_source(pipeline.status(), options.stage);
  pipeline.logs(options.lines, options.follow, [&](const reel::LogLine& line) {
    if (options.stage.empty() || options.stage == line.source) print(line, options.json);
    return std::ferror(stdout) == 0;
  });
}

}  // namespace

void add_logs(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<LogsOptions>();
  CLI::App* command = app.add_subcommand("logs", "Show the log of a running pipeline");
  add_pipeline_argument(*command, options->pipeline);
  command->add_option("--lines", options->lines, "of those that were logged already, the last so many")
      ->check(whole_number(0, kMostLines))
      ->capture_default_str();
  command->add_option("--stage", options->stage, "those of one stage alone; \"reel\" is the supervisor")
      ->type_name("STAGE");
  command->add_flag("--follow", options->follow, "go on until the pipeline ends");
  command->add_flag("--json", options->json, "one JSON object a line");
  command->footer(
      "The last 2000 lines are kept, whatever --verbose of `reel run` shows.\nExample: reel logs --follow "
      "--stage faces");
  command->callback([options] { logs(*options); });
}
