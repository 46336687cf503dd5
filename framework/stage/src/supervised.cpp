#include <reel/stage/supervised.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/unique_fd.hpp>

namespace reel {

StageSetup read_setup(int fd) {
  const UniqueFd source(fd);
  std::string json;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t got = ::read(source.get(), block.data(), block.size());
    if (got == 0) return stage_setup_from_json(json);
    if (got > 0) {
      json.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw_errno(errno, fmt::format("cannot read the stage's setup from descriptor {}", fd));
    }
  }
}

StagePageMapping open_page(int fd) {
  StagePageMapping mapping = fd < 0 ? StagePageMapping::create() : StagePageMapping::open(UniqueFd(fd));
  mapping.page().pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  return mapping;
}

void set_state(StagePage& page, StageState state) noexcept {
  page.state.store(static_cast<std::uint32_t>(state), std::memory_order_relaxed);
}

namespace {

constexpr long kLook_ns = 50'000'000;  // between two looks for a debugger

bool has_debugger() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("TracerPid:")) return line.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

bool stop_signal_waits() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, kDrainSignalOfDebugged) == 1 || ::sigismember(&pending, SIGTERM) == 1;
}

}  // namespace

void wait_for_debugger() noexcept {
  if (std::getenv(kWaitForDebuggerVariable) == nullptr) return;
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);  // Yama would let only our parent; without it this is an error
  sigset_t go_on, before;
  ::sigemptyset(&go_on);
  ::sigaddset(&go_on, SIGCONT);
  ::sigprocmask(SIG_BLOCK, &go_on, &before);
  const timespec pause{0, kLook_ns};
  while (!has_debugger() && !stop_signal_waits() && ::sigtimedwait(&go_on, nullptr, &pause) != SIGCONT) {
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace reel
