#include <cerrno>
#include <utility>

#include <sys/eventfd.h>

#include <reel/base/error.hpp>
#include <reel/stage/stop_signal.hpp>

namespace reel {

StopSignal::StopSignal() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw_errno(errno, "cannot make the event that stops a stage");
}

void StopSignal::drain() noexcept {
  raise(kDrain);
}

void StopSignal::stop() noexcept {
  raise(kStop);
}

void StopSignal::raise(int level) noexcept {
  const std::lock_guard lock(mutex_);
  if (level_.load(std::memory_order_relaxed) >= level) return;  // a stop that came before is not taken back
  level_.store(level, std::memory_order_relaxed);
  if (level == kStop) ::eventfd_write(event_.get(), 1);
  for (const auto& wake : interrupts_) wake();
}

StopSignal::Interrupt::Interrupt(const StopSignal& signal, std::function<void()> wake) : signal_(signal) {
  const std::lock_guard lock(signal.mutex_);
  place_ = signal.interrupts_.insert(signal.interrupts_.end(), std::move(wake));
  if (signal.draining()) (*place_)();
}

StopSignal::Interrupt::~Interrupt() {
  const std::lock_guard lock(signal_.mutex_);
  signal_.interrupts_.erase(place_);
}

}  // namespace reel
