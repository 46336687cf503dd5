// How far a running stage has been asked to end. Set by a signal watcher's thread, obeyed by the loop of
// run_stage(). Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>

#include <reel/base/unique_fd.hpp>

namespace reel {

class StopSignal {
 public:
  /// Throws Error when the process has no descriptor left.
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// A source finishes its stream; a stage with inputs goes on until they end.
  void drain() noexcept;
  /// The stage ends at once, its outputs with an end of stream. Wakes what waits.
  void stop() noexcept;
  [[nodiscard]] bool draining() const noexcept { return level_.load(std::memory_order_relaxed) >= kDrain; }
  [[nodiscard]] bool stopped() const noexcept { return level_.load(std::memory_order_relaxed) >= kStop; }

  /// Readable from stop() on.
  [[nodiscard]] int fd() const noexcept { return event_.get(); }

  /// While one of these lives, its function is called once when drain() is and once when stop() is (at once,
  /// when one has been). The call comes from their thread and is over before the destructor returns; the
  /// function must not throw, and of this signal only ask how far it is.
  class Interrupt {
   public:
    Interrupt(const StopSignal& signal, std::function<void()> wake);
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;
    ~Interrupt();

   private:
    const StopSignal& signal_;
    std::list<std::function<void()>>::iterator place_;
  };

 private:
  void raise(int level) noexcept;

  static constexpr int kRun = 0, kDrain = 1, kStop = 2;
  // relaxed throughout: the level alone says everything, nothing else is read because of it.
  std::atomic<int> level_{kRun};
  UniqueFd event_;
  mutable std::mutex mutex_;  // guards interrupts_, and makes raise() and ~Interrupt() exclude each other
  mutable std::list<std::function<void()>> interrupts_;
};

}  // namespace reel
