// What is kept of the last seconds: always from a key frame, never more than it may be.
#include "events/pre_roll.hpp"

#include "units.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace record {
namespace {

std::vector<std::int64_t> times(const std::vector<Unit>& units, std::size_t track) {
  std::vector<std::int64_t> result;
  for (const Unit& unit : units)
    if (unit.track == track) result.push_back(unit.time_ns / kMs);
  return result;
}

class PreRollTest : public testing::Test {
 protected:
  explicit PreRollTest(PreRollLimits limits = {3'000 * kMs, 1'000'000}) : kept_(limits) {
    kept_.set_reference(kVideo);
  }
  void push(std::int64_t from_ms, std::int64_t to_ms, std::int64_t ahead_ms = 0) {
    play_units(
        from_ms, to_ms, [&](const Unit& unit) { kept_.push(unit); }, true, true, ahead_ms);
  }
  PreRoll kept_;
};

TEST_F(PreRollTest, KeepsTheTimeAskedForFromTheKeyFrameBefore) {
  push(0, 60'500);
  EXPECT_EQ(kept_.begins_ns(), 57'000 * kMs);
  const auto units = kept_.take(0);
  EXPECT_EQ(times(units, kVideo).front(), 57'000);
  EXPECT_EQ(times(units, kVideo).size(), 35U);
  EXPECT_EQ(times(units, kSound).front(), 57'000);
  EXPECT_EQ(times(units, kSound).size(), 70U);
  EXPECT_EQ(kept_.units(), 0U);
  EXPECT_EQ(kept_.bytes(), 0U);
}

TEST_F(PreRollTest, GivesFromTheKeyFrameAtOrBeforeTheMoment) {
  push(0, 10'000);
  EXPECT_EQ(times(kept_.take(8'900 * kMs), kVideo).front(), 8'000);
  push(10'000, 20'000);
  EXPECT_EQ(times(kept_.take(18'000 * kMs), kVideo).front(), 18'000);
}

TEST_F(PreRollTest, GivesSoundFromTheSameMomentThoughItCameEarlier) {
  push(0, 10'000, 400);
  const auto units = kept_.take(8'000 * kMs);
  EXPECT_EQ(times(units, kVideo).front(), 8'000);
  EXPECT_EQ(times(units, kSound).front(), 8'000);
  EXPECT_EQ(times(units, kSound).size(), 40U);
}

TEST_F(PreRollTest, BeginsWithAKeyFrame) {
  push(300, 900);
  EXPECT_TRUE(times(kept_.take(0), kVideo).empty());
  push(1'300, 2'900);
  EXPECT_EQ(times(kept_.take(0), kVideo).front(), 2'000);
}

TEST_F(PreRollTest, NeverHoldsMoreBytesThanItMay) {
  PreRoll small({60'000 * kMs, 5'000});
  small.set_reference(kVideo);
  play_units(0, 20'000, [&](const Unit& unit) {
    small.push(unit);
    ASSERT_LE(small.bytes(), 5'000U);
  });
  EXPECT_GT(small.cut_short(), 0U);
  const auto units = small.take(0);
  ASSERT_FALSE(units.empty());
  EXPECT_EQ(times(units, kVideo).front() % 1000, 0);
}

TEST_F(PreRollTest, GivesUpAGroupThatIsTooLargeAlone) {
  PreRoll small({60'000 * kMs, 500});
  small.set_reference(kVideo);
  for (std::int64_t ms = 0; ms < 3'000; ms += 100) {
    small.push(made_unit(kVideo, ms * kMs, ms % 1000 == 0));
    ASSERT_LE(small.bytes(), 500U);
  }
  small.push(made_unit(kVideo, 3'000 * kMs, true));
  EXPECT_EQ(times(small.take(0), kVideo), std::vector<std::int64_t>{3'000});
}

TEST_F(PreRollTest, ForgetsWhatWasBeforeALongPause) {
  push(0, 5'000);
  push(60'000, 60'500);
  EXPECT_EQ(times(kept_.take(0), kVideo).front(), 60'000);
  push(61'000, 63'000);
  push(65'000, 65'500);
  EXPECT_EQ(times(kept_.take(0), kVideo).front(), 62'000) << "a short one is within what is kept";
}

TEST_F(PreRollTest, KeepsSoundAloneWithoutVideo) {
  kept_.set_reference(std::nullopt);
  play_units(
      0, 10'000, [&](const Unit& unit) { kept_.push(unit); }, false);
  EXPECT_EQ(times(kept_.take(9'025 * kMs), kSound).front(), 9'000);
}

}  // namespace
}  // namespace record
