// The program that is run on each finished segment: PROGRAM FILE MANIFEST. Its standard input is empty, what
// it says goes to the log when it fails. Never holds up the recorder. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace record {

class FinishedHook {
 public:
  struct Settings {
    std::string program;                        // a path, or a name in PATH
    std::size_t at_once = 2;                    // run at one time
    std::size_t waiting = 100;                  // wait; more are left out, which is logged
    std::int64_t timeout_ns = 60'000'000'000;   // then it is killed, and what it started
    std::int64_t farewell_ns = 10'000'000'000;  // at the end of the recorder those left have so long
  };
  /// Throws Error{bad_config} where there is no such program that can be run.
  explicit FinishedHook(Settings settings);
  FinishedHook(const FinishedHook&) = delete;
  FinishedHook& operator=(const FinishedHook&) = delete;
  /// Waits for what is left, see farewell_ns; what has not run then is logged.
  ~FinishedHook();

  /// Returns at once.
  void run(const std::string& file, const std::string& manifest);

  struct Counts {
    std::uint64_t succeeded = 0, failed = 0, left_out = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Job {
    std::string file, manifest;
  };
  void work();
  void carry_out(const Job& job);
  [[nodiscard]] std::int64_t deadline_ns(std::int64_t started_ns) const;

  const Settings settings_;
  const std::string program_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool ending_ = false;
  std::int64_t end_by_ns_ = 0;  // once it is ending
  Counts counts_;
  std::vector<std::thread> workers_;
};

}  // namespace record
