// Lines of standard input into a named pipe, on which a stage waits for them: `reel play --step`. A thread of
// its own copies them; made and destroyed by one other.
#pragma once

#include <csignal>
#include <string>
#include <thread>

#include <reel/base/unique_fd.hpp>

class StepPipe {
 public:
  /// Makes the pipe in a directory that is gone with this. At the end of standard input the process is asked
  /// to end (SIGINT), which stays blocked here until then: a supervisor takes it, whenever it begins. Throws
  /// reel::Error.
  StepPipe();
  StepPipe(const StepPipe&) = delete;
  StepPipe& operator=(const StepPipe&) = delete;
  ~StepPipe();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void make();
  void copy();

  std::string directory_;
  std::string path_;
  reel::UniqueFd pipe_;
  reel::UniqueFd wake_;  // written to when there is nothing more to copy
  sigset_t before_{};    // signals that were blocked
  std::thread thread_;
};
