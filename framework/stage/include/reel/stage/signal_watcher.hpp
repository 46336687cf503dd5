// Turns SIGINT and SIGTERM into a StopSignal, in a thread of its own.
#pragma once

#include <thread>

#include <reel/base/unique_fd.hpp>
#include <reel/stage/stop_signal.hpp>

namespace reel {

/// Blocks SIGINT (supervised.hpp: kDrainSignalOfDebugged where a debugger is waited for) and SIGTERM in this
/// thread and all that it starts: call before any other runs.
void block_stop_signals() noexcept;

class SignalWatcher {
 public:
  /// SIGINT: stop.drain(), SIGTERM: stop.stop(). REQUIRES: block_stop_signals() was called. Throws Error.
  explicit SignalWatcher(StopSignal& stop);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

 private:
  void watch() noexcept;

  StopSignal& stop_;
  UniqueFd signals_;
  UniqueFd over_;  // an event: the watcher is to end
  std::thread thread_;
};

}  // namespace reel
