// One run: a sender and its readers as processes of this program, told apart by their command line.
#include "gst_bench.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reel_gst_bench {
namespace {

constexpr int kWatchdogMs = 120'000;

// Killed at the end of its life, unless it has ended.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("no descriptors for pipes");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<char*> words;
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const int failed = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
    if (failed != 0) throw std::runtime_error("cannot start a process of a measurement");
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    close_input();
    ::close(from_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] int pid() const { return pid_; }
  void tell_to_go() const { (void)!::write(to_, "go\n", 3); }
  void close_input() {
    if (to_ >= 0) ::close(to_);
    to_ = -1;
  }
  // A line that begins with `start`, without it. Others are passed over.
  std::string line(const std::string& start) {
    for (;;) {
      const std::size_t end = text_.find('\n');
      if (end != std::string::npos) {
        const std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        if (line.starts_with(start)) return line.substr(start.size());
        continue;
      }
      pollfd waiting{from_, POLLIN, 0};
      std::array<char, 65536> block{};
      const bool there = ::poll(&waiting, 1, kWatchdogMs) > 0;
      const ssize_t got = there ? ::read(from_, block.data(), block.size()) : 0;
      if (got <= 0)
        throw std::runtime_error("a process of a measurement ended, or hangs, before it said " + start);
      text_.append(block.data(), static_cast<std::size_t>(got));
    }
  }
  void wait_for_end() {
    close_input();
    int status = 0;
    constexpr useconds_t kLook_us = 1000;
    for (int waited_us = 0; ::waitpid(pid_, &status, WNOHANG) == 0; waited_us += static_cast<int>(kLook_us)) {
      if (waited_us > 5'000'000) return;  // killed by the destructor
      ::usleep(kLook_us);
    }
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string text_;
};

std::vector<std::string> command(const char* role, Carrier carrier, const Scenario& scenario,
                                 const std::string& place) {
  return {"reel_gst_bench",
          role,
          std::to_string(static_cast<int>(carrier)),
          std::to_string(scenario.width),
          std::to_string(scenario.height),
          scenario.paced ? "1" : "0",
          std::to_string(scenario.readers),
          scenario.looked_at ? "1" : "0",
          std::to_string(scenario.warm_up),
          std::to_string(scenario.frames),
          place};
}

void add(Measured& measured, const std::string& report, unsigned readers) {
  std::istringstream values(report);
  double fps = 0, sender_cpu = 0, reader_cpu = 0;
  values >> fps >> sender_cpu >> reader_cpu;
  for (double latency = 0; values >> latency;) measured.latencies.push_back(latency);
  const bool first = measured.frames_per_second == 0;
  measured.frames_per_second = first ? fps : std::min(measured.frames_per_second, fps);
  measured.sender_cpu += sender_cpu / readers;
  measured.reader_cpu += reader_cpu / readers;
}

}  // namespace

Measured measure(Carrier carrier, const Scenario& scenario, const std::string& place) {
  Process sender(command("--sender", carrier, scenario, place));
  (void)sender.line("ready");
  std::vector<std::unique_ptr<Process>> readers;
  for (unsigned i = 0; i < scenario.readers; ++i) {
    std::vector<std::string> words = command("--reader", carrier, scenario, place);
    words.push_back(std::to_string(sender.pid()));
    readers.push_back(std::make_unique<Process>(words));
  }
  for (const auto& reader : readers) (void)reader->line("ready");
  sender.tell_to_go();
  Measured measured;
  for (const auto& reader : readers) add(measured, reader->line("done "), scenario.readers);
  for (const auto& reader : readers) reader->wait_for_end();
  sender.close_input();
  if (!is_shm(carrier)) measured.copied = std::stoull(sender.line("copied "));
  sender.wait_for_end();
  return measured;
}

}  // namespace reel_gst_bench
