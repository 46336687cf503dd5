// One child process in a process group of its own that dies with us, its standard output and error behind
// pipes. Single-thread: the child lives no longer than the thread that started it.
#pragma once

#include "process_tree.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <reel/base/unique_fd.hpp>
#include <reel/pipeline/state_machine.hpp>

namespace reel {

struct ChildSetup {
  std::string program;                             // path
  std::vector<std::string> arguments;              // without the program's name
  std::map<std::string, std::string> environment;  // added to our own
  std::string directory;                           // to run in; empty: ours
  std::vector<int> cpus;                           // empty: all
  int nice = 0;
  std::vector<int> keep;  // descriptors that stay open in it, under the same numbers
};

class ChildProcess {
 public:
  /// Returns once the program has been executed. Throws Error that names the step that failed.
  explicit ChildProcess(const ChildSetup& setup);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // kills and reaps it when it still runs

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int output_fd() const noexcept { return output_.get(); }  // non-blocking
  [[nodiscard]] int error_fd() const noexcept { return error_.get(); }    // non-blocking
  void close_output() noexcept { output_.reset(); }
  void close_error() noexcept { error_.reset(); }

  /// To the process alone; it passes signals on as it sees fit.
  void send(int signal) const noexcept;
  /// SIGKILL to the whole group.
  void kill_group() const noexcept;
  /// Its end, when it has come; never blocks. The processor time it took is added up then.
  [[nodiscard]] std::optional<ProcessExit> poll_exit() noexcept;
  /// Leaves it as it is: it is neither waited for nor signalled any more.
  void give_up();
  /// Of it and all that it has started, so far; no memory once it has ended.
  [[nodiscard]] ProcessUse use() const;

 private:
  pid_t pid_ = -1;
  bool exited_ = false;  // or given up
  ProcessUse final_use_;
  UniqueFd output_, error_;
};

}  // namespace reel
