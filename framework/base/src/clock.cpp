#include <reel/base/clock.hpp>

#include <ctime>

namespace reel {
namespace {

std::int64_t now_ns(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() noexcept {
  return now_ns(CLOCK_MONOTONIC);
}

std::int64_t realtime_ns() noexcept {
  return now_ns(CLOCK_REALTIME);
}

}  // namespace reel
