#include "apart.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace record {

namespace {

std::atomic<std::size_t> left{0};  // a number to look at; nothing hangs on its order

struct Call {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  bool left = false;
};

}  // namespace

bool call_apart(std::function<void()> call, std::int64_t patience_ns) {
  const auto state = std::make_shared<Call>();
  std::thread([state, call = std::move(call)]() mutable {
    call();
    call = nullptr;
    const std::lock_guard lock(state->mutex);
    state->ended = true;
    if (state->left) left.fetch_sub(1, std::memory_order_relaxed);
    state->changed.notify_all();
  }).detach();
  std::unique_lock lock(state->mutex);
  if (state->changed.wait_for(lock, std::chrono::nanoseconds(patience_ns), [&] { return state->ended; }))
    return true;
  state->left = true;
  left.fetch_add(1, std::memory_order_relaxed);
  return false;
}

std::size_t left_behind() noexcept {
  return left.load(std::memory_order_relaxed);
}

}  // namespace record
