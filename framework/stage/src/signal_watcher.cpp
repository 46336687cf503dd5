#include <reel/stage/signal_watcher.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/stage/supervised.hpp>

namespace reel {
namespace {

int drain_signal() noexcept {
  return std::getenv(kWaitForDebuggerVariable) == nullptr ? SIGINT : kDrainSignalOfDebugged;
}

sigset_t stop_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, drain_signal());
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() noexcept {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatcher::SignalWatcher(StopSignal& stop) : stop_(stop) {
  const sigset_t set = stop_signals();
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!signals_) throw_errno(errno, "cannot watch for signals");
  over_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!over_) throw_errno(errno, "cannot make the event that ends the watch for signals");
  thread_ = std::thread([this] { watch(); });
}

SignalWatcher::~SignalWatcher() {
  ::eventfd_write(over_.get(), 1);
  thread_.join();
}

void SignalWatcher::watch() noexcept {
  std::array<pollfd, 2> polled{{{signals_.get(), POLLIN, 0}, {over_.get(), POLLIN, 0}}};
  while (true) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) return;
    signalfd_siginfo received{};
    if (::read(signals_.get(), &received, sizeof received) != sizeof received) continue;
    if (static_cast<int>(received.ssi_signo) != SIGTERM) {
      log_debug("told to drain");
      stop_.drain();
    } else {
      log_debug("told to stop");
      stop_.stop();
    }
  }
}

}  // namespace reel
