// FrameChooser: which times of a stream are taken.
#include "frame_chooser.hpp"

#include <cstdint>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reel {
namespace {

using testing::ElementsAre;

constexpr std::int64_t kMillisecond = 1'000'000;
using Times = std::function<std::int64_t(int number)>;

std::vector<int> taken(FrameChooser& chooser, int frames, const Times& time_ns) {
  std::vector<int> numbers;
  for (int i = 0; i < frames; ++i)
    if (chooser.takes(time_ns(i))) numbers.push_back(i);
  return numbers;
}

std::vector<int> taken(const FrameChoice& choice, int frames, const Times& time_ns) {
  FrameChooser chooser(choice);
  return taken(chooser, frames, time_ns);
}

std::int64_t at_30_fps(int number) {
  return number * std::int64_t{1'000'000'000} / 30;
}

// Up to 5 of the 33 ms between two frames early or late; the same for every run.
std::int64_t jittery(int number) {
  return at_30_fps(number) + (number * 7919 % 11 - 5) * kMillisecond;
}

TEST(FrameChooser, TakesTheFirstOfEverySoMany) {
  EXPECT_THAT(taken({.every = 3}, 10, at_30_fps), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(taken({.every = 3}, 7, [](int) { return 5; }), ElementsAre(0, 3, 6)) << "whatever their times";
  EXPECT_THAT(taken({}, 3, at_30_fps), ElementsAre(0, 1, 2));
}

TEST(FrameChooser, KeepsARateByTheFramesTimes) {
  EXPECT_THAT(taken({.max_fps = 10}, 13, at_30_fps), ElementsAre(0, 3, 6, 9, 12));
  EXPECT_THAT(taken({.max_fps = 15}, 9, at_30_fps), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_EQ(taken({.max_fps = 25}, 3000, at_30_fps).size(), 2500u) << "on average, where it does not divide";
}

TEST(FrameChooser, TakesTheSameFramesWhereTheyAreEarlyOrLate) {
  EXPECT_EQ(taken({.max_fps = 10}, 3000, jittery), taken({.every = 3}, 3000, jittery));
  EXPECT_EQ(taken({.max_fps = 15}, 3000, jittery), taken({.every = 2}, 3000, jittery));
}

TEST(FrameChooser, TakesAllOfAStreamThatIsNoFaster) {
  for (const double max_fps : {30.0, 31.0, 60.0, 1000.0}) {
    EXPECT_EQ(taken({.max_fps = max_fps}, 3000, at_30_fps).size(), 3000u) << max_fps;
    EXPECT_EQ(taken({.max_fps = max_fps}, 3000, jittery).size(), 3000u) << max_fps;
  }
}

TEST(FrameChooser, DoesNotMakeUpForAHole) {
  FrameChooser chooser({.max_fps = 10});
  EXPECT_THAT(taken(chooser, 7, at_30_fps), ElementsAre(0, 3, 6));
  const auto after_an_hour = [](int number) { return std::int64_t{3'600'000'000'000} + at_30_fps(number); };
  EXPECT_THAT(taken(chooser, 10, after_an_hour), ElementsAre(0, 3, 6, 9));
}

TEST(FrameChooser, BeginsAnewWithTheTimesOfAnotherWriter) {
  FrameChooser chooser({.max_fps = 10});
  const auto late = [](int number) { return std::int64_t{50'000'000'000} + at_30_fps(number); };
  EXPECT_THAT(taken(chooser, 4, late), ElementsAre(0, 3));
  EXPECT_THAT(taken(chooser, 4, at_30_fps), ElementsAre(0, 3));
}

}  // namespace
}  // namespace reel
