// gdb on a stage's process, in this terminal; where there is none, what to type in another. For `reel run`.
// Single-thread, and from the thread that the pipeline is run in: gdb dies with it.
#pragma once

#include <string>
#include <thread>
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

  /// The stage's process has been started, and waits. One that was attached to before has ended.
  void attach(const std::string& stage, pid_t pid) noexcept;

 private:
  void end() noexcept;

  std::vector<std::string> commands_;
  bool terminal_;
  termios settings_{};  // of the terminal
  std::string gdb_;     // path; empty where gdb is started by somebody else
  pid_t pid_ = -1;      // of gdb
  std::thread end_watch_;
};
