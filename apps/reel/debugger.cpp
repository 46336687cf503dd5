#include "debugger.hpp"

#include "programs.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>

namespace {

// Plugins are loaded after gdb has attached: what is named in them is not there yet.
constexpr const char* kPending = "set breakpoint pending on";
constexpr int kPatience_ms = 5'000;  // with gdb, once there is nothing left to look at

// Whoever is not in the foreground would be stopped for this.
void give_terminal_to(pid_t group) noexcept {
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  ::tcsetpgrp(STDIN_FILENO, group);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// In the child; only async-signal-safe calls. Ctrl-C is gdb's while its group has the terminal.
[[noreturn]] void become_gdb(char* const* arguments, pid_t parent, bool terminal) noexcept {
  ::setpgid(0, 0);
  if (terminal) give_terminal_to(::getpid());
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!terminal) {
    const int null = ::open("/dev/null", O_RDONLY);
    if (null >= 0) ::dup2(null, STDIN_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // that is for what stages print
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

// The stage's process, by a descriptor: one that gets its number later is another. Before Linux 5.3 there is
// none.
class Debuggee {
 public:
  explicit Debuggee(pid_t pid) : pid_(pid), fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

  /// Nobody will look at it any more: where it still waits for that, it goes on.
  void let_go() const noexcept {
    if (fd_)
      ::syscall(SYS_pidfd_send_signal, fd_.get(), SIGCONT, nullptr, 0);
    else
      ::kill(pid_, SIGCONT);
  }

 private:
  pid_t pid_;
  reel::UniqueFd fd_;
};

// It stays a zombie, and its number its own, until it is reaped.
bool wait_for_end(pid_t pid, int options) noexcept {
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT | options) != 0) {
    if (errno != EINTR) return true;
  }
  return ended.si_pid == pid;
}

bool ends_within(pid_t pid, int timeout_ms) noexcept {
  constexpr int kSlice_ms = 20;
  for (int waited_ms = 0; waited_ms < timeout_ms; waited_ms += kSlice_ms) {
    if (wait_for_end(pid, WNOHANG)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(kSlice_ms));
  }
  return false;
}

}  // namespace

Debugger::Debugger(std::vector<std::string> commands)
    : commands_(std::move(commands)),
      terminal_(::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) {
  if (terminal_) ::tcgetattr(STDIN_FILENO, &settings_);
  if (!terminal_ && commands_.empty()) return;
  gdb_ = find_program("gdb");
  if (gdb_.empty())
    throw reel::Error(reel::ErrorCode::unsupported,
                      "--gdb: the program gdb is not here: install it (Debian: apt-get install gdb)");
}

Debugger::~Debugger() {
  end();
}

void Debugger::end() noexcept {
  if (!end_watch_.joinable()) return;
  // Without a terminal it has a last command, and may be about to tell what that gives.
  if (terminal_ || !ends_within(pid_, kPatience_ms)) {
    ::kill(pid_, SIGTERM);
    if (!ends_within(pid_, kPatience_ms)) ::kill(pid_, SIGKILL);
  }
  end_watch_.join();
  ::waitpid(pid_, nullptr, 0);
}

void Debugger::attach(const std::string& stage, pid_t pid) noexcept {
  try {
    end();
    if (gdb_.empty()) {
      reel::log_as(stage, reel::LogLevel::warning,
                   fmt::format("waits for a debugger: gdb -p {} -ex '{}'", pid, kPending));
      return;
    }
    std::vector<std::string> words{gdb_, "-q"};
    if (!terminal_) words.emplace_back("-batch");
    words.insert(words.end(), {"-p", std::to_string(pid), "-ex", kPending});
    for (const std::string& command : commands_) words.insert(words.end(), {"-ex", command});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) reel::throw_errno(errno, "starting gdb");
    if (pid_ == 0) become_gdb(arguments.data(), parent, terminal_);
    end_watch_ = std::thread([gdb = pid_, stage = Debuggee(pid), terminal = terminal_, settings = settings_] {
      (void)wait_for_end(gdb, 0);
      if (terminal) {
        give_terminal_to(::getpgrp());
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);  // one that was killed has not put them back
      }
      stage.let_go();
    });
  } catch (const std::exception& error) {
    reel::log_as(stage, reel::LogLevel::error, fmt::format("--gdb: {}", error.what()));
    Debuggee(pid).let_go();
  }
}
