// The one background thread of a process that uses streams: accepts connections, answers readers, notices
// hang-ups. It sleeps until a descriptor has something to say, and is no part of the path of a frame.
// Thread-safe.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <reel/base/unique_fd.hpp>

namespace reel {

class Service {
 public:
  /// Called on the service thread with the epoll events. Must not throw, must not block, must not hold the
  /// service itself alive.
  using Handler = std::function<void(std::uint32_t events)>;

  /// The process's own: started with its first user, ended with its last. Shared because streams come and go
  /// in any order.
  [[nodiscard]] static std::shared_ptr<Service> instance();

  Service();
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// REQUIRES: `fd` stays open until unwatch().
  void watch(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events) noexcept;
  /// When it returns, the handler does not run and will not run again (unless it is the caller). No caller
  /// may hold a lock that the handler takes.
  void unwatch(int fd) noexcept;
  /// For a handler whose descriptor cannot be served now: nothing is told of it for `ms`, and the thread is
  /// free for others. REQUIRES: called by that handler.
  void pause(int fd, int ms) noexcept;
  /// While it is held no handler runs, so none closes a descriptor whose number somebody else then gets.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock(dispatch_); }

 private:
  void run() noexcept;
  int resume_paused() noexcept;  // those that are due; how long to the next, in ms, -1: there is none

  struct Watched {
    std::shared_ptr<Handler> handler;
    std::uint64_t generation;  // tells a descriptor from a later one of the same number
    std::uint32_t events;
    std::int64_t paused_until_ns = 0;  // 0: it is not paused
  };
  UniqueFd epoll_;
  UniqueFd stop_;
  std::recursive_mutex
      dispatch_;  // held while a handler runs, and to change the table; handlers change it too
  std::unordered_map<int, Watched> watched_;
  std::uint64_t generation_ = 0;
  std::thread thread_;
};

}  // namespace reel
