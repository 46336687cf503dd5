#include "stage_host.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string>

#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/stage/run.hpp>
#include <reel/stage/supervised.hpp>
#include <reel/stage/signal_watcher.hpp>

namespace reel {
namespace {

// The supervisor prints the stage's name before each line: it is not said twice.
std::string without_stage(const Error& error, const std::string& name) {
  return error.where() == name ? error.message() : error.what();
}

}  // namespace

int run_plugin(const std::string& name, int setup_fd, int stats_fd) noexcept {
  // A supervisor that stopped reading the log is no reason to die.
  ::signal(SIGPIPE, SIG_IGN);
  bool loaded = false;
  try {
    const StagePageMapping mapping = open_page(stats_fd);
    try {
      StopSignal stop;
      const SignalWatcher watcher(stop);
      StageSetup setup = read_setup(setup_fd);
      setup.name = name;
      const Plugin plugin(setup.plugin);
      loaded = true;
      run_stage(plugin, setup, stop, mapping.page());
      return kEndedWell;
    } catch (...) {
      set_state(mapping.page(), StageState::failed);
      throw;
    }
  } catch (const Error& error) {
    log_error(without_stage(error, name));
    const bool curable = error.code() != ErrorCode::bad_config && error.code() != ErrorCode::unsupported;
    return loaded && curable ? kFailed : kBadConfiguration;
  } catch (const std::exception& error) {
    log_error(error.what());
    return kFailed;
  }
}

}  // namespace reel
