// `reel`: looks at the command line, runs one subcommand, turns what went wrong into a message and an exit
// status.
#include "commands.hpp"
#include "completion.hpp"
#include "completion_scripts.hpp"
#include "first_process.hpp"
#include "manual.hpp"
#include "usage.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>

namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int status_of(reel::ErrorCode code) {
  const bool usage = code == reel::ErrorCode::bad_argument || code == reel::ErrorCode::bad_config;
  return usage ? kBadUsage : kFailed;
}

void add_commands(CLI::App& app, CommandResult& result) {
  add_run(app, result);
  add_check(app, result);
  add_graph(app, result);
  add_top(app, result);
  add_logs(app, result);
  add_trace(app, result);
  add_stop(app, result);
  add_restart(app, result);
  add_apply(app, result);
  add_ls(app, result);
  add_inspect(app, result);
  add_verify(app, result);
#ifdef REEL_HAVE_SNAPSHOT
  add_snapshot(app, result);
#endif
  add_event(app, result);
#ifdef REEL_HAVE_PLAY
  add_play(app, result);
#endif
  add_recordings(app, result);
  add_plugins(app, result);
  add_doctor(app, result);
  add_completion(app, result);
}

/// CLI11 would take `--json=5` for `--json`.
void take_no_values_for_flags(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    for (CLI::Option* option : command->get_options()) {
      if (option->get_items_expected_max() == 0) option->disable_flag_override();
    }
  }
}

/// CLI11 would only say that a subcommand is required.
void check_command_name(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return;
  const std::optional<std::string> nearest = reel::nearest_name(word, names);
  const std::string hint = nearest ? "did you mean '" + *nearest + "'?" : "there is " + reel::join_or(names);
  throw reel::Error(reel::ErrorCode::bad_argument, "no command '" + word + "'; " + hint);
}

// For the scripts of `reel completion` and the build: none of it is for people, nor in the help.
bool serve_scripts(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.size() >= 3 && words[1] == "__complete") {
    const std::vector<std::string> typed(words.begin() + 3, words.end());
    const std::size_t current = std::strtoul(words[2].c_str(), nullptr, 10);
    for (const std::string& line : complete(app, typed, current)) std::printf("%s\n", line.c_str());
    return true;
  }
  if (words.size() == 3 && words[1] == "__documents") {
    write_manual(app, words[2] + "/man1");
    write_completions(words[2]);
    return true;
  }
  return false;
}

int run(int argc, char** argv) {
  CLI::App app("Frames between processes without a copy: runs pipelines and looks at streams.", "reel");
  app.set_version_flag("--version", "reel " REEL_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Example: reel run configs/quickstart.yaml\n"
      "`reel COMMAND --help` says more about each command.\n"
      "Exit status: 0 fine, 1 failed at run time, 2 bad usage or configuration.");
  CommandResult result;
  add_commands(app, result);
  take_no_values_for_flags(app);
  if (serve_scripts(app, {argv, argv + argc})) return 0;
  if (argc > 1) check_command_name(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    throw reel::Error(reel::ErrorCode::bad_argument, usage_error(app, error));
  }
  return result.status;
}

}  // namespace

int main(int argc, char** argv) {
  reel::open_standard_descriptors();
  leave_first_process();
  int status = kFailed;
  try {
    status = run(argc, argv);
  } catch (const reel::Error& error) {
    std::fprintf(stderr, "reel: %s\n", error.what());
    status = status_of(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reel: %s\n", error.what());
  }
  if (std::fflush(stdout) != 0) {
    std::perror("reel: cannot write the output");
    return kFailed;
  }
  return status;
}
