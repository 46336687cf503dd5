#include <media/encoder_watch.hpp>

#include <gtest/gtest.h>

namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(EncoderWatch, HangsWhenItOwesForTheWholeTimeWithoutAMove) {
  record::EncoderWatch watch(1000 * kMs);
  for (int i = 1; i <= 10; ++i) EXPECT_FALSE(watch.hangs(true, 7, i * 100 * kMs)) << i;
  EXPECT_TRUE(watch.hangs(true, 7, 1100 * kMs));
}

TEST(EncoderWatch, IsSlowWhenItMoves) {
  record::EncoderWatch watch(1000 * kMs);
  for (int i = 1; i <= 100; ++i)
    EXPECT_FALSE(watch.hangs(true, static_cast<std::uint64_t>(i / 9), i * 100 * kMs)) << i;
}

TEST(EncoderWatch, HasNothingToDoWhenItOwesNothing) {
  record::EncoderWatch watch(1000 * kMs);
  for (int i = 1; i <= 100; ++i) EXPECT_FALSE(watch.hangs(false, 7, i * 100 * kMs)) << i;
}

TEST(EncoderWatch, TimeInWhichNobodyLookedCountsForLittle) {
  record::EncoderWatch watch(1000 * kMs);
  EXPECT_FALSE(watch.hangs(true, 7, 100 * kMs));
  EXPECT_FALSE(watch.hangs(true, 7, 100'000 * kMs)) << "the process was stopped, and the encoder with it";
  EXPECT_TRUE(watch.hangs(true, 7, 101'000 * kMs));
}

}  // namespace
