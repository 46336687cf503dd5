// `reel`: looks at the command line, runs one subcommand, turns what went wrong into a message and an exit
// status.
#include "commands.hpp"
#include "usage.hpp"

#include <algorithm>
#include <cstdio>
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
  add_ls(app, result);
  add_inspect(app, result);
  add_verify(app, result);
#ifdef REEL_HAVE_SNAPSHOT
  add_snapshot(app, result);
#endif
  add_plugins(app, result);
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
