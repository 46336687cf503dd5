#include "events/finished_hook.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>

namespace record {
namespace {

constexpr std::size_t kKeptOutput = 1000;  // bytes, the last ones
constexpr int kLook_ms = 50;

bool can_run(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string found(const std::string& program) {
  if (program.find('/') != std::string::npos) return can_run(program) ? program : "";
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, colon), program);
    if (can_run(candidate)) return candidate;
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return {};
}

std::string checked(const std::string& program) {
  std::string path = found(program);
  if (path.empty())
    throw reel::Error(
        reel::ErrorCode::bad_config,
        fmt::format("hook: there is no program \"{}\" that can be run: give its whole path, and "
                    "make it executable (chmod +x)",
                    program));
  return path;
}

struct Child {
  pid_t pid = -1;
  reel::UniqueFd output;
};

// Throws Error{io}.
Child start(const std::string& program, const std::string& file, const std::string& manifest) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) reel::throw_errno(errno, "cannot make a pipe");
  Child child{-1, reel::UniqueFd(ends[0])};
  const reel::UniqueFd write_end(ends[1]);
  // This end alone: a program that says much must wait until it is read, or what it says last is lost.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) reel::throw_errno(errno, "cannot set up a pipe");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, write_end.get(), 1);
  posix_spawn_file_actions_adddup2(&files, write_end.get(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);  // killed with what it started
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = program, first = file, second = manifest;
  std::array<char*, 4> arguments{name.data(), first.data(), second.data(), nullptr};
  const int failed = ::posix_spawn(&child.pid, name.c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) reel::throw_errno(failed, fmt::format("cannot run \"{}\"", program));
  return child;
}

// Reads of what is there, keeping the end of it. False once nobody has the other end.
bool read_some(int output, std::string& kept) {
  std::array<char, 4096> buffer{};
  constexpr int kMost = 32;  // of one that never stops, some: its time is looked at between
  for (int i = 0; i < kMost; ++i) {
    const ssize_t got = ::read(output, buffer.data(), buffer.size());
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    kept.append(buffer.data(), static_cast<std::size_t>(got));
    if (kept.size() > kKeptOutput) kept.erase(0, kept.size() - kKeptOutput);
  }
  return true;
}

std::string ending_of(int status) {
  if (WIFEXITED(status)) return fmt::format("ended with status {}", WEXITSTATUS(status));
  return fmt::format("was killed by signal {}", WTERMSIG(status));
}

}  // namespace

FinishedHook::FinishedHook(Settings settings)
    : settings_(std::move(settings)), program_(checked(settings_.program)) {
  for (std::size_t i = 0; i < settings_.at_once; ++i) workers_.emplace_back([this] { work(); });
}

FinishedHook::~FinishedHook() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    end_by_ns_ = reel::monotonic_ns() + settings_.farewell_ns;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  if (!jobs_.empty())
    reel::log_warning(
        fmt::format("hook: not run on {} finished files, the recorder has ended; the first is {}",
                    jobs_.size(), jobs_.front().file));
}

void FinishedHook::run(const std::string& file, const std::string& manifest) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() < settings_.waiting) {
      jobs_.push_back({file, manifest});
      changed_.notify_one();
      return;
    }
    ++counts_.left_out;
  }
  reel::log_warning(
      fmt::format("hook: not run on {}: {} files wait for it already", file, settings_.waiting));
}

FinishedHook::Counts FinishedHook::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void FinishedHook::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty() || (ending_ && reel::monotonic_ns() >= end_by_ns_)) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    carry_out(job);
    lock.lock();
  }
}

std::int64_t FinishedHook::deadline_ns(std::int64_t started_ns) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t own_ns = started_ns + settings_.timeout_ns;
  return ending_ ? std::min(own_ns, end_by_ns_) : own_ns;
}

void FinishedHook::carry_out(const Job& job) {
  std::string said, failure;
  try {
    const std::int64_t started_ns = reel::monotonic_ns();
    Child child = start(program_, job.file, job.manifest);
    int status = 0;
    bool open = true, late = false;
    while (::waitpid(child.pid, &status, WNOHANG) == 0) {
      pollfd polled{open ? child.output.get() : -1, POLLIN, 0};
      ::poll(&polled, 1, kLook_ms);
      if (open) open = read_some(child.output.get(), said);
      if (late || reel::monotonic_ns() < deadline_ns(started_ns)) continue;
      late = true;
      ::kill(-child.pid, SIGKILL);
    }
    if (open) (void)read_some(child.output.get(), said);
    if (late)
      failure = fmt::format("had not ended after {:.1f} s and was killed",
                            static_cast<double>(reel::monotonic_ns() - started_ns) / 1e9);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      failure = ending_of(status);
  } catch (const reel::Error& error) {
    failure = error.what();
  }
  {
    const std::lock_guard lock(mutex_);
    ++(failure.empty() ? counts_.succeeded : counts_.failed);
  }
  if (!failure.empty())
    reel::log_warning(
        fmt::format("hook: {} on {} {}{}{}", program_, job.file, failure, said.empty() ? "" : ": ", said));
}

}  // namespace record
