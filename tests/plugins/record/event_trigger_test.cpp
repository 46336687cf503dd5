// When events begin, how long they go on, and when the next one may follow.
#include "events/event_trigger.hpp"

#include "side_fixture.hpp"

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace record {
namespace {

using reel_test::expect_error;
using What = EventChange::What;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTenth = kSecond / 10;

EventSettings settings(const std::vector<std::string>& rules) {
  EventSettings made;
  made.rules = event_rules_from(rules);
  made.post_roll_ns = 2 * kSecond;
  made.longest_ns = 20 * kSecond;
  made.run = "run";
  return made;
}

class Trigger : public testing::Test {
 protected:
  void use(const EventSettings& settings) { trigger_.emplace(settings); }

  /// Frames at 10 a second with that score, from `from` to before `to` tenths of a second.
  void motion(std::int64_t from, std::int64_t to, float score, std::size_t track = 0) {
    for (std::int64_t i = from; i < to; ++i) {
      Side side;
      side.move(score);
      keep(trigger_->look({track, "camera", i * kTenth, side.view()}));
    }
  }
  void keep(std::vector<EventChange> changes) {
    for (EventChange& change : changes)
      if (change.what != What::changed) changes_.push_back(std::move(change));
  }

  std::optional<EventTrigger> trigger_;
  std::vector<EventChange> changes_;  // begun and ended
};

TEST_F(Trigger, BeginsAnEventAndEndsItAfterThePostRoll) {
  use(settings({"motion 0.1"}));
  motion(0, 10, 0.05F);
  EXPECT_TRUE(changes_.empty());
  motion(10, 15, 0.2F);
  motion(15, 40, 0);
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[0].what, What::begun);
  EXPECT_EQ(changes_[0].event.start_ns, kSecond);
  EXPECT_EQ(changes_[0].event.kind, "motion");
  EXPECT_EQ(changes_[0].event.id, "run-1-motion");
  EXPECT_EQ(changes_[1].what, What::ended);
  EXPECT_EQ(changes_[1].event.end_ns, 14 * kTenth + 2 * kSecond);
  EXPECT_EQ(changes_[1].event.id, "run-1-motion");
}

TEST_F(Trigger, GoesOnWhenItIsKeptAgainWithinThePostRoll) {
  use(settings({"motion 0.1"}));
  motion(0, 1, 0.2F);
  motion(1, 15, 0);
  motion(15, 16, 0.2F);
  motion(16, 36, 0);
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[1].event.end_ns, 35 * kTenth);
}

TEST_F(Trigger, WaitsUntilARuleIsKeptForItsTimeWithoutABreak) {
  use(settings({"motion 0.1 for 500ms"}));
  motion(0, 5, 0.2F);
  motion(5, 6, 0);
  motion(6, 10, 0.2F);
  EXPECT_TRUE(changes_.empty());
  motion(10, 12, 0.2F);
  ASSERT_EQ(changes_.size(), 1U);
  EXPECT_EQ(changes_[0].event.start_ns, 6 * kTenth) << "it began with the first of those frames";
}

TEST_F(Trigger, DoesNotTakeAnotherTracksFramesForABreak) {
  use(settings({"motion 0.1 for 500ms"}));
  for (std::int64_t i = 0; i < 6; ++i) {
    motion(i, i + 1, 0.2F, 0);
    motion(i, i + 1, 0, 1);
  }
  EXPECT_EQ(changes_.size(), 1U);
}

TEST_F(Trigger, TakesASilentStageForABreak) {
  use(settings({"motion 0.1 for 5s"}));
  motion(0, 1, 0.2F);
  motion(60, 61, 0.2F);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(Trigger, KeepsTheBestFrame) {
  use(settings({"motion 0.1"}));
  motion(0, 5, 0.2F);
  motion(5, 6, 0.5F);
  motion(6, 40, 0.05F);
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[1].event.best_ns, 5 * kTenth);
  EXPECT_FLOAT_EQ(static_cast<float>(changes_[1].event.score), 0.5F);
  EXPECT_EQ(changes_[1].event.note, "motion 0.500 at camera");
  EXPECT_EQ(changes_[1].event.track, 0U);
}

TEST_F(Trigger, EndsTheLongestAndBeginsTheNextWhereItEnds) {
  use(settings({"motion 0.1"}));
  motion(0, 300, 0.2F);
  ASSERT_EQ(changes_.size(), 3U);
  EXPECT_EQ(changes_[1].what, What::ended);
  EXPECT_EQ(changes_[1].event.end_ns, 20 * kSecond);
  EXPECT_EQ(changes_[2].what, What::begun);
  EXPECT_EQ(changes_[2].event.start_ns, 20 * kSecond);
  EXPECT_EQ(changes_[2].event.id, "run-2-motion");
}

TEST_F(Trigger, LeavesRulesOutDuringTheCooldownButNotCalls) {
  EventSettings cool = settings({"motion 0.1"});
  cool.cooldown_ns = 10 * kSecond;
  use(cool);
  motion(0, 1, 0.2F);
  motion(1, 21, 0);
  ASSERT_EQ(changes_.size(), 2U);
  motion(30, 115, 0.2F);
  EXPECT_EQ(changes_.size(), 2U);
  keep(trigger_->call({"motion", "", 0, false}, 11'500'000'000));
  EXPECT_EQ(changes_.size(), 3U);
  use(cool);
  motion(0, 1, 0.2F);
  motion(20, 121, 0.2F);
  EXPECT_EQ(changes_.size(), 6U) << "after it, they count";
}

TEST_F(Trigger, HasEventsOfDifferentKindsBesideEachOther) {
  use(settings({"motion 0.1"}));
  motion(0, 2, 0.2F);
  keep(trigger_->call({"doorbell", "postman", 30 * kSecond, false}, 2 * kTenth));
  keep(trigger_->call({"doorbell", "again", 0, false}, 4 * kTenth));
  EXPECT_EQ(trigger_->going_on().size(), 2U);
  keep(trigger_->advance(10 * kSecond));
  ASSERT_EQ(trigger_->going_on().size(), 1U);
  EXPECT_EQ(trigger_->going_on()[0].note, "postman; again");
  keep(trigger_->advance(60 * kSecond));
  ASSERT_EQ(changes_.size(), 4U);
  EXPECT_EQ(changes_[3].event.end_ns, 2 * kTenth + 20 * kSecond) << "the longest holds for calls too";
}

TEST_F(Trigger, EndsWhatIsStoppedAtOnce) {
  use(settings({"motion 0.1"}));
  motion(0, 2, 0.2F);
  keep(trigger_->call({"door", "", 10 * kSecond, false}, kSecond / 2));
  keep(trigger_->call({"door", "", 0, true}, kSecond));
  ASSERT_EQ(changes_.size(), 3U);
  EXPECT_EQ(changes_[2].event.kind, "door");
  EXPECT_EQ(changes_[2].event.end_ns, kSecond);
  keep(trigger_->call({"", "", 0, true}, kSecond));
  EXPECT_TRUE(trigger_->going_on().empty());
}

TEST_F(Trigger, RefusesMoreKindsThanThereMayBe) {
  use(settings({}));
  for (std::size_t i = 0; i < kMaxKinds; ++i)
    keep(trigger_->call({"kind" + std::to_string(i), "", 0, false}, 0));
  expect_error(reel::ErrorCode::refused, {"\"more\"", "16", "--stop"}, [&] {
    keep(trigger_->call({"more", "", 0, false}, 0));
  });
  keep(trigger_->call({"kind3", "", 0, false}, 0));
  EXPECT_EQ(trigger_->going_on().size(), kMaxKinds);
}

TEST_F(Trigger, KeepsNotesShort) {
  use(settings({}));
  for (int i = 0; i < 100; ++i) keep(trigger_->call({"call", std::string(100, 'x'), 0, false}, 0));
  EXPECT_LE(trigger_->going_on()[0].note.size(), kMaxEventNote);
}

TEST_F(Trigger, EndsEverythingWithTheRecording) {
  use(settings({"motion 0.1"}));
  motion(0, 2, 0.2F);
  keep(trigger_->finish(5 * kTenth));
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[1].event.end_ns, 5 * kTenth);
}

}  // namespace
}  // namespace record
