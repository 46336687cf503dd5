#include <reel/base/clock.hpp>

#include <ctime>

#include <gtest/gtest.h>

namespace reel {
namespace {

std::int64_t system_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

TEST(Clock, MonotonicIsTheSystemsAndNeverGoesBack) {
  std::int64_t last = system_ns();
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t now = monotonic_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GE(system_ns(), last);
}

TEST(Clock, NoTimeIsGStreamersWhenReadAsUnsigned) {
  EXPECT_EQ(static_cast<std::uint64_t>(kNoTime), ~std::uint64_t{0});
}

}  // namespace
}  // namespace reel
