// The signals that a supervisor lives by, as one descriptor, for as long as this object lives. Single-thread;
// process-wide effect: SIGCHLD, SIGINT, SIGTERM and SIGHUP are blocked in the calling thread, SIGPIPE is
// ignored; all as before afterwards.
#pragma once

#include <csignal>
#include <vector>

#include <reel/base/unique_fd.hpp>

namespace reel {

class SignalWatch {
 public:
  SignalWatch();  // throws Error{io}
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Those that have come since, in order; never blocks.
  [[nodiscard]] std::vector<int> take();

 private:
  UniqueFd fd_;
  sigset_t before_{};
  struct sigaction pipe_before_ {};
};

}  // namespace reel
