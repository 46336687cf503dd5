#include "service.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

std::uint64_t key_of(int fd, std::uint64_t generation) {
  return generation << 32 | static_cast<std::uint32_t>(fd);
}

}  // namespace

std::shared_ptr<Service> Service::instance() {
  static std::mutex mutex;
  static std::weak_ptr<Service> current;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Service> service = current.lock();
  if (!service) {
    service = std::make_shared<Service>();
    current = service;
  }
  return service;
}

Service::Service() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !stop_) throw_errno(errno, "cannot make the stream service's descriptors");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key_of(stop_.get(), 0);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) != 0)
    throw_errno(errno, "cannot watch the stream service's descriptors");
  // Signals are for the program's own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "reel-service");
}

Service::~Service() {
  const std::uint64_t one = 1;
  while (::write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void Service::watch(int fd, std::uint32_t events, Handler handler) {
  const std::lock_guard lock(dispatch_);
  generation_ = (generation_ + 1) & 0x7FFFFFFF;
  if (generation_ == 0) generation_ = 1;
  epoll_event event{};
  event.events = events;
  event.data.u64 = key_of(fd, generation_);
  watched_[fd] = {std::make_shared<Handler>(std::move(handler)), generation_, events};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    watched_.erase(fd);
    throw_errno(errno, "cannot watch a stream's socket");
  }
}

void Service::change(int fd, std::uint32_t events) noexcept {
  const std::lock_guard lock(dispatch_);
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  found->second.events = events;
  found->second.paused_until_ns = 0;
  epoll_event event{};
  event.events = events;
  event.data.u64 = key_of(fd, found->second.generation);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Service::unwatch(int fd) noexcept {
  const std::lock_guard lock(dispatch_);
  if (watched_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Service::pause(int fd, int ms) noexcept {
  const std::lock_guard lock(dispatch_);
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  const std::uint32_t events = found->second.events;
  change(fd, 0);
  found->second.events = events;
  found->second.paused_until_ns = monotonic_ns() + std::int64_t{ms} * kMillisecond;
}

int Service::resume_paused() noexcept {
  const std::lock_guard lock(dispatch_);
  const std::int64_t now_ns = monotonic_ns();
  std::int64_t next_ns = 0;
  for (auto& [fd, watched] : watched_) {
    if (watched.paused_until_ns == 0) continue;
    if (watched.paused_until_ns <= now_ns)
      change(fd, watched.events);
    else if (next_ns == 0 || watched.paused_until_ns < next_ns)
      next_ns = watched.paused_until_ns;
  }
  return next_ns == 0 ? -1 : static_cast<int>((next_ns - now_ns) / kMillisecond + 1);
}

void Service::run() noexcept {
  const int epoll = epoll_.get();
  const int stop = stop_.get();
  std::array<epoll_event, 32> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), events.size(), resume_paused());
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = static_cast<int>(event.data.u64 & 0xFFFFFFFF);
      if (fd == stop) return;
      const std::lock_guard lock(dispatch_);
      const auto found = watched_.find(fd);
      if (found == watched_.end() || found->second.generation != event.data.u64 >> 32) continue;
      const std::shared_ptr<Handler> handler = found->second.handler;  // it may unwatch itself
      (*handler)(event.events);
    }
  }
}

}  // namespace reel
