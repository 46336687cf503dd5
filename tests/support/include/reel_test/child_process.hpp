// Real processes for tests. A child never outlives its ChildProcess, nor the test program.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <reel_test/wait_until.hpp>
#include <sys/types.h>

namespace reel_test {

/// How a process ended.
struct ExitStatus {
  bool timed_out = false;  // it had not ended when the watchdog passed; it was killed
  int code = -1;           // of exit(), else -1
  int signal = 0;          // that killed it, else 0

  [[nodiscard]] bool ok() const noexcept { return !timed_out && code == 0; }
};
std::ostream& operator<<(std::ostream& out, const ExitStatus& status);

/// In characters.
struct TerminalSize {
  unsigned short columns = 80;
  unsigned short rows = 24;
};

/// Whether there are pseudo-terminals: in a root without /dev/pts there are none.
[[nodiscard]] bool has_terminals();

/// Standard input and output are pipes, line by line; standard error is kept. Single-thread.
class ChildProcess {
 public:
  using Arguments = std::vector<std::string>;
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// Starts this test program anew to run one Role: the way to have a second process of reel, since a process
  /// that has threads must not be forked without exec.
  static ChildProcess role(const std::string& name, const Arguments& arguments = {},
                           const Environment& environment = {});
  /// Starts a program (looked up in PATH).
  static ChildProcess program(const std::string& path, const Arguments& arguments = {},
                              const Environment& environment = {});
  /// Starts a program in a session of its own on a pseudo-terminal: what it shows, standard error included,
  /// is its output, and send() types.
  static ChildProcess in_terminal(const std::string& path, const Arguments& arguments = {},
                                  const Environment& environment = {}, TerminalSize size = {});
  /// Runs `body` in a forked copy of this process and exits with what it returns. REQUIRES: no other threads.
  static ChildProcess call(const std::function<int()>& body);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // SIGKILL, and waits

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number);

  /// Writes a line to its standard input; false when it has closed that.
  bool send(std::string_view line);
  void close_input();
  /// Its next line of output without the newline; nullopt when it closed its output or the watchdog passed.
  [[nodiscard]] std::optional<std::string> read_line(std::chrono::milliseconds watchdog = kWatchdog);
  /// Reads lines until one that begins with `start`, and returns it; empty when there was none.
  [[nodiscard]] std::string wait_for_line(std::string_view start,
                                          std::chrono::milliseconds watchdog = kWatchdog);

  /// Reads until `text` has come since the last time that this found something; false when the watchdog
  /// passed.
  [[nodiscard]] bool shows(std::string_view text, std::chrono::milliseconds watchdog = kWatchdog);
  /// Waits for its end, reading its output meanwhile.
  ExitStatus wait(std::chrono::milliseconds watchdog = kWatchdog);
  /// All of standard output so far, lines that were read included.
  [[nodiscard]] const std::string& output() const noexcept { return output_; }
  /// All of standard error so far.
  [[nodiscard]] std::string errors() const;

 private:
  ChildProcess() = default;
  static ChildProcess start(const std::function<int()>& body);
  bool receive(int timeout_ms);
  bool reap(bool block);

  pid_t pid_ = -1;
  int input_ = -1;  // we write
  int output_fd_ = -1;
  int errors_fd_ = -1;
  std::string output_;
  std::size_t read_ = 0;  // of output_, by read_line
  std::size_t seen_ = 0;  // of output_, by shows
  std::optional<ExitStatus> status_;
};

/// What a test program can be started as, instead of running its tests. Define at namespace scope:
///   const reel_test::Role reader("reader", [](const std::vector<std::string>& arguments) { ...; return 0;
///   });
/// The function reads commands from standard input, if any, and tells what it sees by say().
class Role {
 public:
  using Body = int (*)(const std::vector<std::string>& arguments);
  Role(const char* name, Body body);
};

/// Prints a line to standard output at once.
void say(std::string_view line);
/// The next line of standard input; nullopt at its end. For roles.
[[nodiscard]] std::optional<std::string> hear();

}  // namespace reel_test
