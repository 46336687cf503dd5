#include "stream_watch.hpp"

#include <chrono>
#include <exception>
#include <map>
#include <system_error>
#include <utility>

#include <reel/channel/observer.hpp>

namespace reel {
namespace {

constexpr std::chrono::milliseconds kEvery{500};
constexpr int kPatience_ms = 500;  // with a writer

using Observers = std::map<std::string, StreamObserver>;

StreamLooks look_at(const std::set<std::string>& streams, Observers& observers) {
  std::erase_if(observers, [&](const auto& one) { return !streams.contains(one.first); });
  StreamLooks looks;
  for (const std::string& stream : streams) {
    try {
      const auto observer = observers.try_emplace(stream, stream, kPatience_ms).first;
      StreamStatus status = observer->second.status();
      looks[stream] = {status.head - 1, status.live, std::move(status.readers)};
    } catch (const std::exception&) {  // it has no writer now, or one that is stopped
      observers.erase(stream);
    }
  }
  return looks;
}

}  // namespace

StreamWatch::~StreamWatch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StreamWatch::want(const std::set<std::string>& streams) {
  {
    const std::lock_guard lock(mutex_);
    if (streams == wanted_ && (thread_.joinable() || streams.empty())) return;
    wanted_ = streams;
  }
  if (thread_.joinable()) return changed_.notify_one();
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {  // no room for a thread: without looks, until there is
  }
}

std::optional<StreamLooks> StreamWatch::news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, std::nullopt);
}

// Where memory is scarce the pipeline goes on without looks.
void StreamWatch::run() noexcept try {
  Observers observers;
  std::unique_lock lock(mutex_);
  while (!over_) {
    const std::set<std::string> wanted = wanted_;
    lock.unlock();
    StreamLooks looks = look_at(wanted, observers);
    lock.lock();
    news_ = std::move(looks);
    const auto other = [&] { return over_ || wanted_ != wanted; };
    if (wanted.empty())
      changed_.wait(lock, other);
    else
      changed_.wait_for(lock, kEvery, other);
  }
} catch (const std::exception&) {
}

}  // namespace reel
