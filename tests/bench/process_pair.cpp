#include "process_pair.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace reel_bench {
namespace {

std::vector<int> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// While it lives, a child that ends before its time ends this program too: its partner would spin for ever.
class ChildWatch {
 public:
  ChildWatch() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      siginfo_t ended{};
      if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
      if (ended.si_code == CLD_EXITED && ended.si_status == 0) return;
      constexpr char kMessage[] = "reel_bench: the other process of a measurement failed\n";
      (void)!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
      ::_exit(1);
    };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGCHLD, &action, &before_);
  }
  ~ChildWatch() { ::sigaction(SIGCHLD, &before_, nullptr); }
  ChildWatch(const ChildWatch&) = delete;
  ChildWatch& operator=(const ChildWatch&) = delete;

 private:
  struct sigaction before_ {};
};

[[noreturn]] void run_child(SharedBoard& board, const std::function<void(SharedBoard&)>& body) {
  int status = 1;
  try {
    body(board);
    status = 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reel_bench: %s\n", error.what());
  }
  ::_exit(status);
}

}  // namespace

bool several_processors() noexcept {
  static const bool several = ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
  return several;
}

void run_pair(const std::function<void(SharedBoard&)>& parent,
              const std::function<void(SharedBoard&)>& child) {
  void* place = ::mmap(nullptr, sizeof(SharedBoard), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no memory for what two processes share");
  auto& board = *new (place) SharedBoard;
  cpu_set_t before;
  ::sched_getaffinity(0, sizeof before, &before);
  const std::vector<int> processors = usable_processors();
  const ChildWatch watch;
  const pid_t parent_pid = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent_pid) ::_exit(1);
    if (processors.size() > 1) pin_to(processors[1]);
    run_child(board, child);
  }
  if (processors.size() > 1) pin_to(processors[0]);
  parent(board);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::sched_setaffinity(0, sizeof before, &before);
  ::munmap(place, sizeof(SharedBoard));
  if (status != 0) throw std::runtime_error("the other process of a measurement failed");
}

}  // namespace reel_bench
