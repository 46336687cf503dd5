#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <reel_test/child_process.hpp>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reel_test {

namespace {

int milliseconds_left(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
          .count();
  return left > 0 ? static_cast<int>(left) : 0;
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

int execute(const std::string& path, const ChildProcess::Arguments& arguments,
            const ChildProcess::Environment& environment) {
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  words.push_back(const_cast<char*>(path.c_str()));
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execvp(path.c_str(), words.data());
  std::perror(path.c_str());
  return 127;
}

// In the child.
[[noreturn]] void run(const std::function<int()>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int code = 124;
  try {
    code = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::fflush(nullptr);
  ::_exit(code);
}

struct PseudoTerminal {
  int controller = -1;
  int device = -1;  // what its session has open
};

PseudoTerminal open_terminal() {
  PseudoTerminal terminal;
  terminal.controller = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal.controller < 0) return terminal;
  std::array<char, 64> name{};
  if (::grantpt(terminal.controller) == 0 && ::unlockpt(terminal.controller) == 0 &&
      ::ptsname_r(terminal.controller, name.data(), name.size()) == 0)
    terminal.device = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal.device < 0) close_if_open(terminal.controller);
  return terminal;
}

}  // namespace

bool has_terminals() {
  PseudoTerminal terminal = open_terminal();
  const bool opened = terminal.device >= 0;
  close_if_open(terminal.device);
  close_if_open(terminal.controller);
  return opened;
}

std::ostream& operator<<(std::ostream& out, const ExitStatus& status) {
  if (status.timed_out) return out << "still running, killed by the watchdog";
  if (status.signal != 0) return out << "killed by signal " << status.signal;
  return out << "exit status " << status.code;
}

ChildProcess ChildProcess::role(const std::string& name, const Arguments& arguments,
                                const Environment& environment) {
  Arguments all = {"--role", name};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return program("/proc/self/exe", all, environment);
}

ChildProcess ChildProcess::program(const std::string& path, const Arguments& arguments,
                                   const Environment& environment) {
  return start([&] { return execute(path, arguments, environment); });
}

ChildProcess ChildProcess::in_terminal(const std::string& path, const Arguments& arguments,
                                       const Environment& environment, TerminalSize size) {
  PseudoTerminal terminal = open_terminal();
  if (terminal.device < 0) throw std::runtime_error("no pseudo-terminals here: is /dev/pts mounted?");
  winsize shown{};
  shown.ws_col = size.columns;
  shown.ws_row = size.rows;
  ::ioctl(terminal.controller, TIOCSWINSZ, &shown);
  ChildProcess child;
  child.output_fd_ = terminal.controller;
  child.input_ = ::fcntl(terminal.controller, F_DUPFD_CLOEXEC, 0);
  child.pid_ = ::fork();
  if (child.pid_ < 0) throw std::runtime_error("fork failed");
  if (child.pid_ == 0) {
    ::setsid();
    ::ioctl(terminal.device, TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(terminal.device, fd);
    run([&] { return execute(path, arguments, environment); });
  }
  close_if_open(terminal.device);
  return child;
}

ChildProcess ChildProcess::call(const std::function<int()>& body) {
  return start(body);
}

ChildProcess ChildProcess::start(const std::function<int()>& body) {
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  ChildProcess child;
  if (::pipe2(input.data(), O_CLOEXEC) != 0 || ::pipe2(output.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe2 failed");
  }
  child.errors_fd_ = ::memfd_create("errors of a test's child", MFD_CLOEXEC);
  child.pid_ = ::fork();
  if (child.pid_ < 0) throw std::runtime_error("fork failed");
  if (child.pid_ == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::dup2(child.errors_fd_, STDERR_FILENO);
    for (const int fd : {input[0], input[1], output[0], output[1], child.errors_fd_}) ::close(fd);
    run(body);
  }
  ::close(input[0]);
  ::close(output[1]);
  child.input_ = input[1];
  child.output_fd_ = output[0];
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_fd_(std::exchange(other.output_fd_, -1)),
      errors_fd_(std::exchange(other.errors_fd_, -1)),
      output_(std::move(other.output_)),
      read_(other.read_),
      seen_(other.seen_),
      status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  close_if_open(input_);
  close_if_open(output_fd_);
  close_if_open(errors_fd_);
}

bool ChildProcess::running() {
  return !reap(false);
}

void ChildProcess::signal(int number) {
  if (!reap(false)) ::kill(pid_, number);
}

bool ChildProcess::send(std::string_view line) {
  std::string text(line);
  text += '\n';
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  const ssize_t count = input_ >= 0 ? ::write(input_, text.data(), text.size()) : -1;
  ::sigaction(SIGPIPE, &before, nullptr);
  return count == static_cast<ssize_t>(text.size());
}

void ChildProcess::close_input() {
  close_if_open(input_);
}

bool ChildProcess::receive(int timeout_ms) {
  if (output_fd_ < 0) return false;
  pollfd waiting{output_fd_, POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return true;
  std::array<char, 4096> block{};
  const ssize_t count = ::read(output_fd_, block.data(), block.size());
  if (count > 0) output_.append(block.data(), static_cast<std::size_t>(count));
  const bool ended = count == 0 || (count < 0 && errno == EIO);  // EIO: nobody has the terminal open
  if (ended) close_if_open(output_fd_);
  return !ended;
}

std::optional<std::string> ChildProcess::read_line(std::chrono::milliseconds watchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  for (bool open = true;;) {
    const std::size_t end = output_.find('\n', read_);
    if (end != std::string::npos) {
      std::string line = output_.substr(read_, end - read_);
      read_ = end + 1;
      return line;
    }
    const int left_ms = milliseconds_left(deadline);
    if (!open || left_ms == 0) return std::nullopt;
    open = receive(left_ms);
  }
}

std::string ChildProcess::wait_for_line(std::string_view start, std::chrono::milliseconds watchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  while (auto line = read_line(std::chrono::milliseconds(milliseconds_left(deadline)))) {
    if (line->starts_with(start)) return *line;
  }
  return {};
}

bool ChildProcess::shows(std::string_view text, std::chrono::milliseconds watchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  for (bool open = true;;) {
    if (const std::size_t at = output_.find(text, seen_); at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    const int left_ms = milliseconds_left(deadline);
    if (!open || left_ms == 0) return false;
    open = receive(left_ms);
  }
}

ExitStatus ChildProcess::wait(std::chrono::milliseconds watchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  constexpr int kLookMs = 5;
  bool timed_out = false;
  while (!reap(false)) {
    if (milliseconds_left(deadline) == 0) {
      timed_out = true;
      ::kill(pid_, SIGKILL);
      reap(true);
      break;
    }
    if (!receive(kLookMs)) ::poll(nullptr, 0, kLookMs);
  }
  while (output_fd_ >= 0) {
    const std::size_t before = output_.size();
    receive(0);
    if (output_.size() == before) break;  // all of it, or a grandchild keeps the pipe open
  }
  status_->timed_out = timed_out;
  return *status_;
}

bool ChildProcess::reap(bool block) {
  if (status_) return true;
  int status = 0;
  pid_t result = 0;
  do {
    result = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (result < 0 && errno == EINTR);
  if (result != pid_) return false;
  ExitStatus ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  status_ = ended;
  return true;
}

std::string ChildProcess::errors() const {
  std::string text;
  struct stat size {};
  if (errors_fd_ < 0 || ::fstat(errors_fd_, &size) != 0) return text;
  text.resize(static_cast<std::size_t>(size.st_size));
  const ssize_t count = ::pread(errors_fd_, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

}  // namespace reel_test
