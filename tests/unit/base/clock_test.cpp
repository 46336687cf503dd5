#include <reel/base/clock.hpp>

#include <ctime>

#include <gtest/gtest.h>

namespace reel {
namespace {

std::int64_t system_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

TEST(Clock, MonotonicIsTheSystemsAndNeverGoesBack) {
  std::int64_t last = system_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t now = monotonic_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GE(system_ns(CLOCK_MONOTONIC), last);
}

TEST(Clock, RealtimeCountsFrom1970) {
  // The clock may be set in between: only its era is checked.
  EXPECT_NEAR(static_cast<double>(realtime_ns()), static_cast<double>(system_ns(CLOCK_REALTIME)), 3600e9);
}

TEST(Clock, NoTimeIsGStreamersWhenReadAsUnsigned) {
  EXPECT_EQ(static_cast<std::uint64_t>(kNoTime), ~std::uint64_t{0});
}

}  // namespace
}  // namespace reel
