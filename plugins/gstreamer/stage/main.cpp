// reel-gst-stage-host: the process of one `use: gst` stage of a pipeline, started by the supervisor in the
// stage host's place, with the same command line, signals and statuses. `--check LINE` is what `reel check`
// asks: whether GStreamer here can make something of a launch line.
#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/stage/signal_watcher.hpp>
#include <reel/stage/supervised.hpp>

#include "launch.hpp"
#include "launch_run.hpp"

namespace {

struct Arguments {
  std::string name, checked;
  int setup_fd = -1;
  int stats_fd = -1;
};

bool curable(const reel::Error& error) {
  return error.code() != reel::ErrorCode::bad_config && error.code() != reel::ErrorCode::unsupported;
}

int run_stage(const Arguments& arguments) noexcept {
  ::signal(SIGPIPE, SIG_IGN);  // a supervisor that stopped reading the log is no reason to die
  try {
    const reel::StagePageMapping mapping = reel::open_page(arguments.stats_fd);
    try {
      reel::set_state(mapping.page(), reel::StageState::starting);
      reel::StopSignal stop;
      const reel::SignalWatcher watcher(stop);
      reel::StageSetup setup = reel::read_setup(arguments.setup_fd);
      setup.name = arguments.name;
      reel::gst::start_gstreamer();
      reel::gst::run_launch(setup, stop, mapping.page());
      reel::set_state(mapping.page(), reel::StageState::finished);
      return reel::kEndedWell;
    } catch (...) {
      reel::set_state(mapping.page(), reel::StageState::failed);
      throw;
    }
  } catch (const reel::Error& error) {
    reel::log_error(error.what());
    return curable(error) ? reel::kFailed : reel::kBadConfiguration;
  } catch (const std::exception& error) {
    reel::log_error(error.what());
    return reel::kFailed;
  }
}

// 0: fine; kBadConfiguration: wrong; kFailed: this machine lacks something. Why is said on standard error.
int check(const std::string& launch) {
  try {
    reel::gst::start_gstreamer();
    (void)reel::gst::parse(launch);
    return reel::kEndedWell;
  } catch (const reel::Error& error) {
    std::cerr << error.message() << '\n';
    return error.code() == reel::ErrorCode::unsupported ? reel::kFailed : reel::kBadConfiguration;
  }
}

}  // namespace

int main(int argc, char** argv) {
  reel::open_standard_descriptors();
  CLI::App app{"Runs one GStreamer launch line as a stage of a pipeline; started by `reel run`."};
  Arguments arguments;
  try {
    app.add_option("--name", arguments.name, "the stage's name");
    app.add_option("--setup-fd", arguments.setup_fd, "descriptor to read the stage's setup (JSON) from");
    app.add_option("--stats-fd", arguments.stats_fd, "descriptor of the stage's statistics page");
    app.add_option("--check", arguments.checked, "only look whether GStreamer can parse this launch line");
    app.parse(argc, argv);
    if (app.count("--check") != 0) return check(arguments.checked);
    if (arguments.name.empty()) throw CLI::RequiredError("--name");
    if (arguments.setup_fd < 0) throw CLI::RequiredError("--setup-fd");
    reel::LogOptions log;
    log.style = reel::LogStyle::relay;
    log.least = reel::LogLevel::debug;  // the supervisor chooses what is printed
    reel::configure_logging(log);
    reel::block_stop_signals();
    reel::wait_for_debugger();
    return run_stage(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? reel::kEndedWell : reel::kBadConfiguration;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return reel::kFailed;
  }
}
