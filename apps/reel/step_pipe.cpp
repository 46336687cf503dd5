#include "step_pipe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>

StepPipe::StepPipe() {
  make();
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGINT);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);  // the thread's too
  thread_ = std::thread([this] { copy(); });
}

void StepPipe::make() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "reel-play-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) reel::throw_errno(errno, "cannot make a directory", name);
  directory_ = name;
  path_ = directory_ + "/steps";
  if (::mkfifo(path_.c_str(), 0600) != 0) reel::throw_errno(errno, "cannot make a named pipe", path_);
  // For reading too: writing does not wait for a stage that has not opened it yet.
  pipe_ = reel::UniqueFd(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  wake_ = reel::UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!pipe_ || !wake_) reel::throw_errno(errno, "cannot open the named pipe", path_);
}

StepPipe::~StepPipe() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof one));
  if (thread_.joinable()) thread_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

void StepPipe::copy() {
  std::array<char, 256> bytes{};
  while (true) {
    std::array<pollfd, 2> polled{{{STDIN_FILENO, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
    if (polled[1].revents != 0) return;
    if (polled[0].revents == 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      ::kill(::getpid(), SIGINT);
      return;
    }
    const auto lines = static_cast<std::size_t>(std::count(bytes.begin(), bytes.begin() + count, '\n'));
    const std::string steps(lines, '\n');
    // A pipe that is full has 65536 steps waiting: these are not missed.
    static_cast<void>(::write(pipe_.get(), steps.data(), steps.size()));
  }
}
