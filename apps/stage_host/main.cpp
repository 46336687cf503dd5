// reel-stage-host: the process of one stage. Started by the supervisor, never by people: see stage_host.hpp.
#include "stage_host.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/stage/signal_watcher.hpp>
#include <reel/stage/supervised.hpp>

namespace {

struct Arguments {
  std::string name;
  int setup_fd = -1;
  int stats_fd = -1;
  bool exec = false;
  std::vector<std::string> program;
};

// Throws std::exception for a command line that makes no sense.
int run(const Arguments& arguments) {
  reel::LogOptions log;
  log.style = reel::LogStyle::relay;
  log.least = reel::LogLevel::debug;  // the supervisor chooses what is printed
  reel::configure_logging(log);
  if (arguments.exec) {
    if (arguments.program.empty()) throw CLI::RequiredError("PROGRAM (after --exec)");
    return reel::run_program(arguments.name, arguments.program, arguments.setup_fd, arguments.stats_fd);
  }
  if (arguments.setup_fd < 0) throw CLI::RequiredError("--setup-fd");
  reel::block_stop_signals();
  reel::wait_for_debugger();
  return reel::run_plugin(arguments.name, arguments.setup_fd, arguments.stats_fd);
}

}  // namespace

int main(int argc, char** argv) {
  reel::open_standard_descriptors();
  CLI::App app{"Runs one stage of a pipeline; started by `reel run`."};
  Arguments arguments;
  try {
    app.add_option("--name", arguments.name, "the stage's name")->required();
    app.add_option("--setup-fd", arguments.setup_fd, "descriptor to read the stage's setup (JSON) from");
    app.add_option("--stats-fd", arguments.stats_fd, "descriptor of the stage's statistics page");
    app.add_flag("--exec", arguments.exec, "run a program instead of a plugin");
    app.add_option("PROGRAM", arguments.program, "the program and its arguments, after --");
    app.parse(argc, argv);
    return run(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? reel::kEndedWell : reel::kBadConfiguration;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return reel::kFailed;
  }
}
