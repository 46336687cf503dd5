// Makes safe what is being written, each sync interval, in a thread of its own: whoever finishes files is
// busy for longer. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <reel/base/unique_fd.hpp>

namespace record {

/// A file while it is written.
class SyncedFile {
 public:
  SyncedFile(reel::UniqueFd descriptor, std::string path);
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  /// Brings its bytes to the disk. False once that has failed, for good: what the kernel could not write it
  /// says once and forgets. Logs the first failure.
  [[nodiscard]] bool sync() noexcept;

 private:
  reel::UniqueFd descriptor_;
  std::string path_;
  std::atomic<bool> failed_{false};  // on its own: nothing else is told by it
};

class Syncer {
 public:
  explicit Syncer(std::int64_t interval_ns);
  ~Syncer();
  /// As long as it is there.
  void add(std::weak_ptr<SyncedFile> file);

 private:
  void run();
  void sync_all();

  std::int64_t interval_ns_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::weak_ptr<SyncedFile>> files_;  // guarded by mutex_
  bool stopping_ = false;                         // guarded by mutex_
  std::thread thread_;
};

}  // namespace record
