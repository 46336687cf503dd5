// A pipeline in a mount namespace of its own, where a test mounts and unmounts while it runs; nobody else
// sees that. Single-thread.
#pragma once

#include <string>

#include <reel_test/child_process.hpp>
#include <reel_test/scratch_dir.hpp>

namespace reel_test {

class OwnMounts {
 public:
  /// Runs the commands of `setup` in the scratch directory, then a pipeline of that text beside them.
  OwnMounts(const std::string& setup, const std::string& pipeline);
  OwnMounts(const OwnMounts&) = delete;
  OwnMounts& operator=(const OwnMounts&) = delete;
  ~OwnMounts();

  [[nodiscard]] std::string log() const { return shell_.errors(); }
  [[nodiscard]] bool wait_for_log(const std::string& text) const;
  /// A path below the scratch directory as the pipeline sees it, for programs outside.
  [[nodiscard]] std::string seen(const std::string& path) const;
  /// Runs a command in there; whether it succeeded.
  [[nodiscard]] bool run(const std::string& command);
  /// SIGINT; the exit status of `reel run`.
  [[nodiscard]] int end();
  /// Its exit status when it ends by itself.
  [[nodiscard]] int wait();

 private:
  [[nodiscard]] int ended(const std::string& order);

  ScratchDir scratch_;
  ChildProcess shell_;
  int reel_ = 0;
};

}  // namespace reel_test
