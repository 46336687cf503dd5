#include "child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/base/error.hpp>

extern char** environ;

namespace reel {
namespace {

struct Pipe {
  UniqueFd read, write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "making a pipe to a stage");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void make_nonblocking(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) merged.push_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

enum class Step : int { group, parent, directory, cpus, nice, descriptors, execute };

const char* step_text(Step step) {
  switch (step) {
    case Step::group: return "making its process group";
    case Step::parent: return "tying its life to ours";
    case Step::directory: return "entering its directory";
    case Step::cpus: return "setting its cpus (none of them may be used here)";
    case Step::nice: return "setting its nice (below 0 needs the right to)";
    case Step::descriptors: return "passing descriptors on";
    case Step::execute: return "executing";
  }
  return "executing";
}

// Everything that the child needs, made before the fork: after it only async-signal-safe calls are made.
struct Prepared {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* directory;  // or nullptr
  cpu_set_t cpus;
  bool has_cpus;
  int nice;
  const int* keep;
  std::size_t keep_count;
  int output, error, report;
  pid_t parent;
};

[[noreturn]] void give_up(const Prepared& child, Step step) {
  const std::array<int, 2> report{static_cast<int>(step), errno};
  [[maybe_unused]] const ssize_t written = ::write(child.report, report.data(), sizeof(report));
  ::_exit(127);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void place_descriptors(const Prepared& child) {
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(child.output, STDOUT_FILENO) < 0 ||
      ::dup2(child.error, STDERR_FILENO) < 0)
    give_up(child, Step::descriptors);
  // Also those that whoever started us left open. Older kernels refuse: then only our own, all opened with
  // CLOEXEC, are closed.
  ::syscall(SYS_close_range, 3u, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
  for (std::size_t i = 0; i < child.keep_count; ++i) {
    if (::fcntl(child.keep[i], F_SETFD, 0) != 0) give_up(child, Step::descriptors);
  }
}

[[noreturn]] void run_child(const Prepared& child) {
  if (::setpgid(0, 0) != 0) give_up(child, Step::group);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(child, Step::parent);
  if (::getppid() != child.parent) ::_exit(127);  // it died before the line above
  reset_signals();
  if (child.directory != nullptr && ::chdir(child.directory) != 0) give_up(child, Step::directory);
  if (child.has_cpus && ::sched_setaffinity(0, sizeof(child.cpus), &child.cpus) != 0)
    give_up(child, Step::cpus);
  if (child.nice != 0 && ::setpriority(PRIO_PROCESS, 0, child.nice) != 0) give_up(child, Step::nice);
  place_descriptors(child);
  ::execve(child.program, child.arguments, child.environment);
  give_up(child, Step::execute);
}

cpu_set_t cpu_set_of(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  return set;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ChildProcess::ChildProcess(const ChildSetup& setup) {
  std::vector<std::string> arguments{setup.program};
  arguments.insert(arguments.end(), setup.arguments.begin(), setup.arguments.end());
  std::vector<std::string> environment = merged_environment(setup.environment);
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> environment_pointers = pointers(environment);
  Pipe output = make_pipe();
  Pipe error = make_pipe();
  Pipe report = make_pipe();

  Prepared child{};
  child.program = setup.program.c_str();
  child.arguments = argument_pointers.data();
  child.environment = environment_pointers.data();
  child.directory = setup.directory.empty() ? nullptr : setup.directory.c_str();
  child.cpus = cpu_set_of(setup.cpus);
  child.has_cpus = !setup.cpus.empty();
  child.nice = setup.nice;
  child.keep = setup.keep.data();
  child.keep_count = setup.keep.size();
  child.output = output.write.get();
  child.error = error.write.get();
  child.report = report.write.get();
  child.parent = ::getpid();

  pid_ = ::fork();
  if (pid_ < 0) throw_errno(errno, "starting a process");
  if (pid_ == 0) run_child(child);
  ::setpgid(pid_, pid_);  // here too, so that the group is there whoever comes first
  report.write.reset();
  std::array<int, 2> failure{};
  ssize_t got = 0;
  do got = ::read(report.read.get(), failure.data(), sizeof(failure));
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof(failure))) {
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    throw_errno(failure[1], fmt::format("{} ({})", step_text(static_cast<Step>(failure[0])), setup.program));
  }
  output_ = std::move(output.read);
  error_ = std::move(error.read);
  make_nonblocking(output_);
  make_nonblocking(error_);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exited_(other.exited_),
      final_use_(other.final_use_),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || exited_) return;
  kill_group();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::send(int signal) const noexcept {
  if (!exited_) ::kill(pid_, signal);
}

void ChildProcess::kill_group() const noexcept {
  if (!exited_) ::kill(-pid_, SIGKILL);
}

std::optional<ProcessExit> ChildProcess::poll_exit() noexcept {
  if (exited_) return std::nullopt;
  siginfo_t ended{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      ended.si_pid != pid_)
    return std::nullopt;
  kill_group();  // what it left behind; its number is nobody else's before it is reaped
  int status = 0;
  rusage usage{};
  while (::wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  exited_ = true;
  final_use_ = {seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), 0};
  ProcessExit exit;
  if (WIFSIGNALED(status))
    exit.signal = WTERMSIG(status);
  else
    exit.status = WEXITSTATUS(status);
  return exit;
}

void ChildProcess::give_up() {
  exited_ = true;
  final_use_ = {use_of_tree(pid_).cpu_seconds, 0};
}

ProcessUse ChildProcess::use() const {
  return exited_ ? final_use_ : use_of_tree(pid_);
}

}  // namespace reel
