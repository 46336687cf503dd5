#include "outbox.hpp"

#include <csignal>
#include <utility>

#include <reel/base/clock.hpp>

namespace reel {
namespace {

// With every signal blocked: they are for the threads that know what to do with them.
template <typename Body>
std::thread quiet_thread(Body body) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

Outbox::Outbox(std::function<void(std::uint64_t)> tell_dropped, std::int64_t patience_ns)
    : tell_dropped_(std::move(tell_dropped)),
      patience_ns_(patience_ns),
      thread_(quiet_thread([this] { run(); })) {}

Outbox::~Outbox() {
  flush();
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Outbox::wants_more() const {
  const std::lock_guard lock(mutex_);
  return bytes_ <= kEnoughBytes || monotonic_ns() - moved_ns_ > patience_ns_;
}

void Outbox::put(std::size_t bytes, Call call) {
  const std::lock_guard lock(mutex_);
  const std::size_t most = dropped_ == 0 ? kMostBytes : kEnoughBytes;
  if (bytes_ + bytes > most) {
    ++dropped_;
    return;
  }
  push_note();
  push({bytes, std::move(call)});
}

void Outbox::put_always(Call call) {
  const std::lock_guard lock(mutex_);
  push_note();
  push({0, std::move(call)});
}

void Outbox::flush() {
  std::unique_lock lock(mutex_);
  push_note();
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void Outbox::push(Entry entry) {
  if (waiting_.empty() && !busy_) moved_ns_ = monotonic_ns();
  bytes_ += entry.bytes;
  waiting_.push_back(std::move(entry));
  changed_.notify_all();
}

void Outbox::push_note() {
  if (dropped_ == 0) return;
  push({0, [this, dropped = std::exchange(dropped_, 0)] { tell_dropped_(dropped); }});
}

void Outbox::run() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Entry next = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    try {
      next.call();
    } catch (...) {  // whoever was to take it is gone: a pipe that was closed
    }
    lock.lock();
    busy_ = false;
    moved_ns_ = monotonic_ns();
    bytes_ -= next.bytes;
    if (waiting_.empty()) changed_.notify_all();
  }
}

}  // namespace reel
