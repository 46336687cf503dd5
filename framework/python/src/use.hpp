// What readers and writers of Python share: one thread at a time, one process, and waits that Ctrl-C ends.
// Private to the module; everything is called with the GIL held.
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace reel::python {

inline constexpr int kSignalSlice_ms = 100;  // how long a wait goes on before Python's signal handlers run

/// A thing whose memory a forked child does not have (mappings are MADV_DONTFORK), and whose sockets are its
/// parent's: there it is left alone instead of being destroyed.
template <typename Thing>
class OfThisProcess {
 public:
  OfThisProcess() = default;
  explicit OfThisProcess(std::unique_ptr<Thing> thing) : thing_(std::move(thing)), pid_(::getpid()) {}
  OfThisProcess(OfThisProcess&&) noexcept = default;
  OfThisProcess& operator=(OfThisProcess&& other) noexcept {
    std::swap(thing_, other.thing_);
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~OfThisProcess() {
    if (foreign()) (void)thing_.release();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return thing_ != nullptr; }
  [[nodiscard]] Thing* get() const noexcept { return thing_.get(); }
  [[nodiscard]] bool foreign() const noexcept { return thing_ && pid_ != ::getpid(); }

 private:
  std::unique_ptr<Thing> thing_;
  pid_t pid_ = 0;
};

/// Throws Error{unsupported}: `what` was opened before a fork, by the parent.
[[noreturn]] void throw_forked(const std::string& what);

/// Marks a reader or writer as used by this thread for as long as it lives. Throws Error{in_use} when another
/// thread is using it.
class Use {
 public:
  Use(bool& in_use, const std::string& what);
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { in_use_ = false; }

 private:
  bool& in_use_;
};

/// Runs Python's signal handlers. Throws pybind11::error_already_set where one raised (KeyboardInterrupt).
void check_signals();

/// Runs `work`, which waits long, in a thread of its own, without the GIL, while this one looks for signals.
/// Where a handler raised, calls `stop`, which makes `work` return, and throws error_already_set after that.
void run_interruptibly(const std::function<void()>& work, const std::function<void()>& stop);

}  // namespace reel::python
