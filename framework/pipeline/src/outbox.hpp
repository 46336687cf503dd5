// Calls on their way to somebody who may not take what they bring for a while, such as a pipe that nobody
// reads: made in order by a thread of the outbox, so that whoever puts them here never waits. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace reel {

class Outbox {
 public:
  using Call = std::function<void()>;
  static constexpr std::size_t kEnoughBytes = std::size_t{4} << 20;  // that wait: see wants_more()
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;   // that wait: more is dropped

  static constexpr std::int64_t kPatience_ns = 1'000'000'000;

  /// `tell_dropped` is called in the place of those that found no room, with their number. `patience_ns`: see
  /// wants_more().
  explicit Outbox(std::function<void(std::uint64_t dropped)> tell_dropped,
                  std::int64_t patience_ns = kPatience_ns);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();  // as flush()

  /// False while it is better to wait with more: much is waiting already, and somebody takes it. True again
  /// when nobody has taken anything for `patience_ns`.
  [[nodiscard]] bool wants_more() const;
  /// Takes the call when there is room for the `bytes` that it holds; else it is dropped and counted. After
  /// that there is room again once no more than kEnoughBytes wait, so that the log is not one line and one
  /// gap in turn. What the call throws is lost.
  void put(std::size_t bytes, Call call);
  /// Takes the call in any case: for those that are few.
  void put_always(Call call);
  /// Returns when every call was made: never, while somebody does not take what one brings.
  void flush();

 private:
  struct Entry {
    std::size_t bytes;
    Call call;
  };

  void push(Entry entry);
  void push_note();
  void run() noexcept;

  const std::function<void(std::uint64_t)> tell_dropped_;
  const std::int64_t patience_ns_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Entry> waiting_;
  std::size_t bytes_ = 0;  // of those that wait, and of the one that is being made
  std::uint64_t dropped_ = 0;
  std::int64_t moved_ns_ = 0;  // when one was made last, or the first of those that wait came
  bool busy_ = false, over_ = false;
  std::thread thread_;  // last: uses all of the above
};

}  // namespace reel
