// gdb on a stage's process, in this terminal; where there is none, what to type in another. For `reel run`.
// Single-thread; starting gdb and waiting for it is done in threads of its own, so that a pipeline whose
// stage is restarted does not stand still meanwhile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>
#include <termios.h>

class Debugger {
 public:
  /// `commands`: what gdb is told once it has attached; with them it needs no terminal, and ends behind the
  /// last. Throws Error{unsupported} where it is needed and not installed.
  explicit Debugger(std::vector<std::string> commands);
  Debugger(const Debugger&) = delete;
  Debugger& operator=(const Debugger&) = delete;
  ~Debugger();  // ends gdb, which lets go of the stage; the terminal is as it was

  /// The stage's process has been started, and waits. gdb comes once the one that was attached to before has
  /// ended. REQUIRES: signals are blocked in the calling thread.
  void attach(const std::string& stage, pid_t pid) noexcept;

 private:
  class Session;

  std::vector<std::string> commands_;
  bool terminal_;
  termios settings_{};  // of the terminal
  std::string gdb_;     // path; empty where gdb is started by somebody else
  std::unique_ptr<Session> session_;
};
