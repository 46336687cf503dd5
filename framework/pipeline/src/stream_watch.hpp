// Looks at streams as a tool does, in a thread of its own: a writer that is stopped answers nobody, and the
// supervisor waits for none. All functions are for the supervisor's thread.
#pragma once

#include "stream_looks.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace reel {

class StreamWatch {
 public:
  StreamWatch() = default;
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;
  ~StreamWatch();

  /// At these, now and twice a second. REQUIRES: signals are blocked in the calling thread, whose mask the
  /// watch's has.
  void want(const std::set<std::string>& streams);
  /// What was seen last, where that is news.
  [[nodiscard]] std::optional<StreamLooks> news();

 private:
  void run() noexcept;

  std::mutex mutex_;  // of all that follows but the thread
  std::condition_variable changed_;
  std::set<std::string> wanted_;
  std::optional<StreamLooks> news_;
  bool over_ = false;
  std::thread thread_;  // once something was wanted
};

}  // namespace reel
