// SetMatcher: which times of several inputs are sets, whatever the order in which they come.
#include "set_matcher.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel {
namespace {

using testing::ElementsAre;
using What = SetMatcher::What;

constexpr std::int64_t kMillisecond = 1'000'000;

// Feeds times in milliseconds, and writes the sets as "0+5".
class Feeder {
 public:
  Feeder(std::vector<std::vector<int>> times, int tolerance_ms, int timeout_ms = 0)
      : matcher_(times.size(), tolerance_ms * kMillisecond, timeout_ms * kMillisecond) {
    for (const auto& input : times) left_.emplace_back(input.begin(), input.end());
    held_.resize(times.size());
  }

  bool add(std::size_t input, std::int64_t published_ms = 0, std::int64_t spacing_ms = 0) {
    if (left_[input].empty()) return false;
    const int time = left_[input].front();
    left_[input].pop_front();
    held_[input].push_back(time);
    matcher_.add(input, {time * kMillisecond, published_ms * kMillisecond, spacing_ms * kMillisecond});
    return true;
  }

  // One verdict, obeyed.
  SetMatcher::Verdict step(std::int64_t now_ms = 0) {
    const SetMatcher::Verdict verdict = matcher_.decide(last(), now_ms * kMillisecond);
    if (verdict.what == What::leave) remove(verdict.input, unmatched_);
    if (verdict.what == What::match) {
      std::string set;
      for (std::size_t i = 0; i < held_.size(); ++i) {
        set += (i == 0 ? "" : "+") + std::to_string(held_[i].front());
        std::vector<int> ignored;
        remove(i, ignored);
      }
      sets_.push_back(set);
    }
    return verdict;
  }

  // Adds what is asked for until an input that has no more is.
  const std::vector<std::string>& run() {
    while (true) {
      const SetMatcher::Verdict verdict = step();
      if (verdict.what == What::wait && !add(verdict.input)) return sets_;
    }
  }

  [[nodiscard]] const std::vector<std::string>& sets() const { return sets_; }
  [[nodiscard]] const std::vector<int>& unmatched() const { return unmatched_; }

 private:
  [[nodiscard]] std::uint32_t last() const {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < left_.size(); ++i)
      if (left_[i].empty()) bits |= 1u << i;
    return bits;
  }
  void remove(std::size_t input, std::vector<int>& to) {
    to.push_back(held_[input].front());
    held_[input].pop_front();
    matcher_.remove(input);
  }

  SetMatcher matcher_;
  std::vector<std::deque<int>> left_, held_;
  std::vector<std::string> sets_;
  std::vector<int> unmatched_;
};

TEST(SetMatcher, PairsInputsOfDifferentRates) {
  Feeder feeder({{0, 33, 67, 100, 133, 167, 200}, {5, 105, 205}}, 20);
  EXPECT_THAT(feeder.run(), ElementsAre("0+5", "100+105", "200+205"));
  EXPECT_THAT(feeder.unmatched(), ElementsAre(33, 67, 133, 167));
}

TEST(SetMatcher, TakesTheNearestNotTheFirstWithinTheTolerance) {
  EXPECT_THAT(Feeder({{0, 10, 20, 30}, {9, 29}}, 20).run(), ElementsAre("10+9", "30+29"));
  EXPECT_THAT(Feeder({{0, 40, 80}, {30, 38, 90}}, 20).run(), ElementsAre("40+38", "80+90"));
  EXPECT_THAT(Feeder({{0, 40, 80}, {20, 60, 100}}, 20).run(), ElementsAre("0+20", "40+60", "80+100"))
      << "the first of two that are as near";
}

TEST(SetMatcher, TakesTheToleranceAsItsLimit) {
  EXPECT_THAT(Feeder({{0, 100}, {20, 121}}, 20).run(), ElementsAre("0+20"));
  EXPECT_THAT(Feeder({{0, 100, 200}, {0, 101, 200}}, 0).run(), ElementsAre("0+0", "200+200"));
}

TEST(SetMatcher, WantsOneOfEachOfThreeInputs) {
  Feeder feeder({{0, 50, 100, 150}, {1, 101, 151}, {2, 52, 102, 153}}, 5);
  EXPECT_THAT(feeder.run(), ElementsAre("0+1+2", "100+101+102", "150+151+153"));
  EXPECT_THAT(Feeder({{0, 10}, {4, 12}, {8, 14}}, 5).run(), ElementsAre("10+12+14"))
      << "all within the tolerance of one another";
}

TEST(SetMatcher, LetsWhatIsTooEarlyGoBeforeEveryInputHasOne) {
  Feeder feeder({{0, 10, 20}, {100}, {}}, 5);
  feeder.add(0);
  feeder.add(1);
  EXPECT_EQ(feeder.step().what, What::leave);
  EXPECT_THAT(feeder.unmatched(), ElementsAre(0));
}

TEST(SetMatcher, DoesNotWaitForANearerOneThatCannotCome) {
  Feeder feeder({{0, 33}, {5, 40}}, 20);
  feeder.add(0, 0, 33);
  feeder.add(1, 0, 33);
  EXPECT_EQ(feeder.step().what, What::match) << "the next is 33 ms later";
  Feeder unknown({{0, 33}, {5, 40}}, 20);
  unknown.add(0);
  unknown.add(1);
  const SetMatcher::Verdict verdict = unknown.step(1000);
  EXPECT_EQ(verdict.what, What::wait);
  EXPECT_EQ(verdict.input, 0u);
  EXPECT_EQ(verdict.until_ns, 1000 * kMillisecond + SetMatcher::kLongestLook_ns);
  EXPECT_EQ(unknown.step(5000).what, What::match) << "nor for ever";
}

TEST(SetMatcher, LetsAFrameGoThatHasWaitedLongEnough) {
  Feeder feeder({{0, 100}, {}}, 20, 500);
  feeder.add(0, 1000);
  const SetMatcher::Verdict verdict = feeder.step(1200);
  EXPECT_EQ(verdict.what, What::wait);
  EXPECT_EQ(verdict.input, 1u);
  EXPECT_EQ(verdict.until_ns, 1500 * kMillisecond);
  EXPECT_EQ(feeder.step(1500).what, What::leave);
}

TEST(SetMatcher, FollowsASourceThatStartsAgain) {
  // The fast input has more of the old times; the slow one comes to the new ones first.
  Feeder feeder({{1000, 1033, 1067, 0, 33, 67, 100}, {1000, 0, 100}}, 10);
  for (int i = 0; i < 3; ++i) feeder.add(0, i);
  feeder.add(1, 0);
  feeder.add(1, 10);
  for (int i = 0; i < 4; ++i) feeder.add(0, 9 + i);
  feeder.add(1, 20);
  while (feeder.step().what != What::wait) {
  }
  EXPECT_THAT(feeder.sets(), ElementsAre("1000+1000", "0+0", "100+100"));
  EXPECT_THAT(feeder.unmatched(), ElementsAre(1033, 1067, 33, 67));
}

TEST(SetMatcher, CatchesUpWithAnInputThatDidNotStartAgain) {
  Feeder feeder({{1000, 1100, 1200, 1300}, {1000, 0, 600, 1200}}, 10);
  feeder.add(0, 0);
  feeder.add(1, 0);
  ASSERT_EQ(feeder.step().what, What::match);
  feeder.add(0, 1);
  feeder.add(1, 5);
  EXPECT_EQ(feeder.step().what, What::leave) << "1100 may be of the old times";
  feeder.add(0, 6);
  feeder.add(1, 7);
  feeder.add(1, 8);
  feeder.add(0, 9);
  while (feeder.step().what != What::wait) {
  }
  EXPECT_THAT(feeder.sets(), ElementsAre("1000+1000", "1200+1200"));
}

std::vector<int> random_times(std::mt19937& random) {
  std::vector<int> times;
  int time = static_cast<int>(random() % 50);
  const int rate_ms = 10 + static_cast<int>(random() % 60);
  for (int i = 0; i < 200; ++i, time += rate_ms + static_cast<int>(random() % 15)) times.push_back(time);
  return times;
}

TEST(SetMatcher, GivesTheSameSetsWhateverComesFirst) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<int>> times(2 + random() % 2);
    for (auto& input : times) input = random_times(random);
    const int tolerance = static_cast<int>(random() % 40);
    const std::vector<std::string> lazy = Feeder(times, tolerance).run();
    Feeder eager(times, tolerance);
    for (bool more = true; more;) {
      while (random() % 3 != 0) (void)eager.add(random() % times.size());
      const SetMatcher::Verdict verdict = eager.step();
      if (verdict.what == What::wait) more = eager.add(verdict.input);
    }
    ASSERT_EQ(eager.sets(), lazy) << "round " << round;
  }
}

}  // namespace
}  // namespace reel
