#include "first_process.hpp"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

sigset_t watched_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : kPassedOn) sigaddset(&watched, signal);
  sigaddset(&watched, SIGCHLD);
  return watched;
}

// As shells say it.
int status_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Whatever has ended: the child ends this process as well, and with it the container.
void reap(pid_t child) {
  int status = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;)
    if (ended == child) ::_exit(status_of(status));
}

[[noreturn]] void watch_over(pid_t child, const sigset_t& watched) {
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&watched, &info);
    if (signal == SIGCHLD) reap(child);
    // A terminal tells all its processes: the child was told.
    if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) ::kill(child, signal);
  }
}

}  // namespace

void leave_first_process() {
  if (::getpid() != 1) return;
  const sigset_t watched = watched_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  const pid_t child = ::fork();
  if (child > 0) watch_over(child, watched);
  // In the child; or there can be none, and all goes on here.
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}
