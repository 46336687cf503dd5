#include "debugger.hpp"

#include "programs.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>
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

// One gdb, in a thread that lives as long as it does: gdb dies with the thread that has started it.
class Debugger::Session {
 public:
  Session(const Debugger& debugger, std::string stage, pid_t pid, std::unique_ptr<Session> before)
      : stage_(std::move(stage)),
        words_(words_of(debugger, pid)),
        terminal_(debugger.terminal_),
        settings_(debugger.settings_),
        debuggee_(pid),
        before_(std::move(before)),
        thread_([this] { run(); }) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Ends gdb and waits for its end.
  ~Session();

 private:
  static std::vector<std::string> words_of(const Debugger& debugger, pid_t pid);
  void run() noexcept;
  [[nodiscard]] pid_t start();

  const std::string stage_;
  std::vector<std::string> words_;
  const bool terminal_;
  const termios settings_;
  const Debuggee debuggee_;
  std::unique_ptr<Session> before_;  // has the terminal until it is gone. The thread's
  std::mutex mutex_;                 // of the next two
  bool over_ = false;
  pid_t gdb_ = 0;
  std::thread thread_;
};

std::vector<std::string> Debugger::Session::words_of(const Debugger& debugger, pid_t pid) {
  std::vector<std::string> words{debugger.gdb_, "-q"};
  if (!debugger.terminal_) words.emplace_back("-batch");
  words.insert(words.end(), {"-p", std::to_string(pid), "-ex", kPending});
  for (const std::string& command : debugger.commands_) words.insert(words.end(), {"-ex", command});
  return words;
}

Debugger::Session::~Session() {
  pid_t gdb = 0;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    gdb = gdb_;
  }
  // Without a terminal it has a last command, and may be about to tell what that gives.
  if (gdb > 0 && (terminal_ || !ends_within(gdb, kPatience_ms))) {
    ::kill(gdb, SIGTERM);
    if (!ends_within(gdb, kPatience_ms)) ::kill(gdb, SIGKILL);
  }
  thread_.join();
  if (gdb > 0) ::waitpid(gdb, nullptr, 0);
}

void Debugger::Session::run() noexcept {
  before_.reset();
  try {
    if (const pid_t gdb = start(); gdb > 0) {
      (void)wait_for_end(gdb, 0);
      if (terminal_) {
        give_terminal_to(::getpgrp());
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings_);  // one that was killed has not put them back
      }
    }
  } catch (const std::exception& error) {
    reel::log_as(stage_, reel::LogLevel::error, fmt::format("--gdb: {}", error.what()));
  }
  debuggee_.let_go();
}

// 0 where it is not wanted any more.
pid_t Debugger::Session::start() {
  std::vector<char*> arguments;
  for (std::string& word : words_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const std::lock_guard lock(mutex_);
  if (over_) return 0;
  const pid_t gdb = ::fork();
  if (gdb == 0) become_gdb(arguments.data(), parent, terminal_);
  if (gdb < 0) reel::throw_errno(errno, "starting gdb");
  return gdb_ = gdb;
}

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

Debugger::~Debugger() = default;

void Debugger::attach(const std::string& stage, pid_t pid) noexcept {
  try {
    if (gdb_.empty()) {
      reel::log_as(stage, reel::LogLevel::warning,
                   fmt::format("waits for a debugger: gdb -p {} -ex '{}'", pid, kPending));
      return;
    }
    session_ = std::make_unique<Session>(*this, stage, pid, std::move(session_));
  } catch (const std::exception& error) {
    reel::log_as(stage, reel::LogLevel::error, fmt::format("--gdb: {}", error.what()));
    Debuggee(pid).let_go();
  }
}
