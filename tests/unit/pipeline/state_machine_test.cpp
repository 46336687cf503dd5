#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/pipeline/state_machine.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;
using Kind = Action::Kind;
using Actions = StateMachine::Actions;

constexpr ProcessExit kWell{0, 0}, kBadly{1, 0}, kHopeless{2, 0}, kKilled{0, 9};

// source 0 -> filter 1 -> sink 2
std::vector<StagePlan> chain() {
  std::vector<StagePlan> plans(3);
  plans[0].name = "source";
  plans[1].name = "filter";
  plans[1].upstream = {0};
  plans[2].name = "sink";
  plans[2].upstream = {1};
  return plans;
}

struct Machine : StateMachine {
  explicit Machine(std::vector<StagePlan> plans = chain())
      : StateMachine(std::move(plans), MachineTimings{}, 1) {
    static_cast<void>(begin(0));
    for (std::size_t i = 0; i < 3; ++i) on_running(i);
  }
};

TEST(StateMachine, StartsEveryStage) {
  StateMachine machine(chain(), {}, 1);
  EXPECT_EQ(machine.state(0), RunState::pending);
  EXPECT_EQ(machine.begin(0), (Actions{{Kind::start, 0}, {Kind::start, 1}, {Kind::start, 2}}));
  EXPECT_EQ(machine.state(0), RunState::starting);
  machine.on_running(0);
  EXPECT_EQ(machine.state(0), RunState::running);
  EXPECT_FALSE(machine.next_deadline_ms());
}

TEST(StateMachine, EndsWellWhenEveryStageDoes) {
  Machine machine;
  EXPECT_TRUE(machine.on_exit(0, kWell, 10).empty());
  EXPECT_EQ(machine.state(0), RunState::finished);
  EXPECT_EQ(machine.state(1), RunState::draining);
  EXPECT_EQ(machine.state(2), RunState::running);
  EXPECT_TRUE(machine.on_exit(1, kWell, 20).empty());
  EXPECT_FALSE(machine.done());
  EXPECT_TRUE(machine.on_exit(2, kWell, 30).empty());
  EXPECT_TRUE(machine.done());
  EXPECT_FALSE(machine.first_failure());
}

TEST(StateMachine, EndsWellWhenAStageEndsBeforeItsInputs) {
  Machine machine;
  EXPECT_TRUE(machine.on_exit(2, kWell, 10).empty());
  EXPECT_EQ(machine.state(2), RunState::finished);
  EXPECT_EQ(machine.state(0), RunState::running);
}

TEST(StateMachine, StartsAKilledStageAgainAndNoOther) {
  Machine machine;
  EXPECT_TRUE(machine.on_exit(1, kKilled, 1000).empty());
  EXPECT_EQ(machine.state(1), RunState::backing_off);
  EXPECT_THAT(machine.reason(1), HasSubstr("killed by signal 9"));
  const std::int64_t due = machine.next_deadline_ms().value();
  EXPECT_GE(due, 1000 + 188);
  EXPECT_LE(due, 1000 + 313);
  EXPECT_TRUE(machine.tick(due - 1).empty());
  EXPECT_EQ(machine.tick(due), (Actions{{Kind::start, 1}}));
  EXPECT_EQ(machine.restarts(1), 1u);
  EXPECT_EQ(machine.state(0), RunState::running);
  EXPECT_EQ(machine.state(2), RunState::running);
}

TEST(StateMachine, BacksOffLongerEachTimeUpToABound) {
  std::vector<StagePlan> plans = chain();
  plans[0].restart.limit = 20;
  plans[0].restart.window_ms = 1'000'000;
  Machine machine(plans);
  std::int64_t now = 0;
  std::int64_t nominal = 250;
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(machine.on_exit(0, kBadly, now));
    const std::int64_t delay = machine.next_deadline_ms().value() - now;
    EXPECT_GE(delay, nominal * 3 / 4);
    EXPECT_LE(delay, nominal * 5 / 4);
    now += delay;
    static_cast<void>(machine.tick(now));
    nominal = std::min<std::int64_t>(nominal * 2, 10'000);
  }
}

TEST(StateMachine, DrainsThePipelineOnceTheLimitOfRestartsIsReached) {
  Machine machine;
  std::int64_t now = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(machine.on_exit(1, kBadly, now).empty());
    now = machine.next_deadline_ms().value();
    static_cast<void>(machine.tick(now));
  }
  EXPECT_EQ(machine.on_exit(1, kBadly, now), (Actions{{Kind::interrupt, 0}}));
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_THAT(machine.reason(1), HasSubstr("limit of 5 restarts in 60 s"));
  EXPECT_EQ(machine.first_failure(), 1u);
  EXPECT_TRUE(machine.ending());
}

TEST(StateMachine, ForgetsRestartsThatAreOlderThanTheWindow) {
  Machine machine;
  std::int64_t now = 0;
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(machine.on_exit(1, kBadly, now).empty()) << i;
    now = machine.next_deadline_ms().value();
    static_cast<void>(machine.tick(now));
    now += 20'000;
  }
  EXPECT_EQ(machine.restarts(1), 30u);
}

TEST(StateMachine, DoesNotStartAgainWhatABadConfigurationEnded) {
  Machine machine;
  EXPECT_EQ(machine.on_exit(1, kHopeless, 10), (Actions{{Kind::interrupt, 0}}));
  EXPECT_EQ(machine.state(1), RunState::failed);
}

TEST(StateMachine, ObeysNeverAndAlways) {
  std::vector<StagePlan> plans = chain();
  plans[0].restart.when = Restart::always;
  plans[1].restart.when = Restart::never;
  Machine machine(plans);
  EXPECT_TRUE(machine.on_exit(0, kWell, 10).empty());
  EXPECT_EQ(machine.state(0), RunState::backing_off);
  EXPECT_FALSE(machine.on_exit(1, kKilled, 10).empty() && machine.state(1) != RunState::failed);
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_EQ(machine.state(0), RunState::stopped);  // it had no process when the drain began
}

TEST(StateMachine, DrainsFromTheSourcesThenTerminatesThenKills) {
  Machine machine;
  EXPECT_EQ(machine.request_end(100), (Actions{{Kind::interrupt, 0}}));
  EXPECT_EQ(machine.state(2), RunState::draining);
  EXPECT_EQ(machine.next_deadline_ms(), 100 + 15'000);
  EXPECT_EQ(machine.tick(15'100),
            (Actions{{Kind::terminate, 0}, {Kind::terminate, 1}, {Kind::terminate, 2}}));
  EXPECT_EQ(machine.next_deadline_ms(), 15'100 + 5'000);
  EXPECT_EQ(machine.tick(20'100), (Actions{{Kind::kill, 0}, {Kind::kill, 1}, {Kind::kill, 2}}));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(machine.on_exit(i, kKilled, 20'200).empty());
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.state(0), RunState::failed);
  EXPECT_THAT(machine.reason(0), HasSubstr("did not end when asked to"));
}

TEST(StateMachine, GivesUpAProcessThatOutlivesItsKill) {
  Machine machine;
  machine.on_started(1, 4711);
  for (int i = 0; i < 3; ++i) static_cast<void>(machine.request_end(100));
  static_cast<void>(machine.on_exit(0, kKilled, 200));
  static_cast<void>(machine.on_exit(2, kKilled, 200));
  EXPECT_EQ(machine.next_deadline_ms(), 100 + 5'000);
  EXPECT_EQ(machine.tick(5'100), (Actions{{Kind::give_up, 1}}));
  EXPECT_TRUE(machine.done());
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_THAT(machine.reason(1), HasSubstr("could not be killed: process 4711"));
  EXPECT_TRUE(machine.on_exit(1, kKilled, 9'000).empty());
  EXPECT_THAT(machine.reason(1), HasSubstr("could not be killed"));
}

TEST(StateMachine, GivesTheLastErrorOfAStageAsTheReasonOfItsFailure) {
  Machine machine;
  static_cast<void>(machine.on_exit(1, kHopeless, 10, "no such model"));
  EXPECT_EQ(machine.reason(1), "exit status 2: no such model");
  static_cast<void>(machine.on_exit(2, kKilled, 20, "frame 7 was damaged"));
  EXPECT_THAT(machine.reason(2), ::testing::Not(HasSubstr("damaged"))) << "it did not die of that";
}

TEST(StateMachine, SkipsAheadWhenAskedAgain) {
  Machine machine;
  static_cast<void>(machine.request_end(100));
  EXPECT_EQ(machine.request_end(200).size(), 3u);
  EXPECT_EQ(machine.state(1), RunState::stopping);
  EXPECT_EQ(machine.request_end(300), (Actions{{Kind::kill, 0}, {Kind::kill, 1}, {Kind::kill, 2}}));
  EXPECT_TRUE(machine.request_end(400).empty());
}

TEST(StateMachine, CountsAnEndByTheSignalThatAskedForItAsGood) {
  Machine machine;
  static_cast<void>(machine.request_end(100));
  EXPECT_TRUE(machine.on_exit(0, {0, 2}, 110).empty());
  EXPECT_EQ(machine.state(0), RunState::finished);
  EXPECT_TRUE(machine.on_exit(1, {0, 11}, 120).empty());
  EXPECT_EQ(machine.state(1), RunState::failed);
}

TEST(StateMachine, DoesNotMindHowAProgramEndsOnceItWasAsked) {
  std::vector<StagePlan> plans = chain();
  plans[0].program = true;
  Machine machine(plans);
  static_cast<void>(machine.request_end(100));
  static_cast<void>(machine.on_exit(0, {255, 0}, 110));
  EXPECT_EQ(machine.state(0), RunState::finished);
}

TEST(StateMachine, DoesNotStartAgainWhileEnding) {
  Machine machine;
  static_cast<void>(machine.request_end(100));
  EXPECT_TRUE(machine.on_exit(2, kKilled, 110).empty());
  EXPECT_EQ(machine.state(2), RunState::failed);
}

TEST(StateMachine, FailsAStageThatWaitsToBeStartedAgainWhenAskedToEnd) {
  Machine machine;
  static_cast<void>(machine.on_exit(1, kBadly, 100, "no such file"));
  static_cast<void>(machine.request_end(110));
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_EQ(machine.reason(1), "exit status 1: no such file; the pipeline ended before restart 1");
  EXPECT_EQ(machine.first_failure(), 1u);
  // Its reader never hears of an end: it is not kept for the whole of the drain.
  EXPECT_EQ(machine.next_deadline_ms(), 110 + 1000);
  EXPECT_EQ(machine.tick(1110), (Actions{{Kind::terminate, 2}}));
}

TEST(StateMachine, GivesAStageWhoseInputsEndedTimeAsLongAsFramesMove) {
  Machine machine;
  static_cast<void>(machine.on_exit(0, kWell, 0));
  EXPECT_EQ(machine.next_deadline_ms(), 15'000);
  machine.on_progress(1, 14'000);
  EXPECT_EQ(machine.next_deadline_ms(), 29'000);
  EXPECT_TRUE(machine.tick(15'000).empty());
  EXPECT_EQ(machine.tick(29'000), (Actions{{Kind::terminate, 1}}));
}

TEST(StateMachine, BoundsADrainThatWasAskedForWhateverMoves) {
  Machine machine;
  static_cast<void>(machine.request_end(0));
  machine.on_progress(1, 14'000);
  EXPECT_EQ(machine.next_deadline_ms(), 15'000);
}

TEST(StateMachine, FailsAStageThatDiedAfterItsInputsHadEnded) {
  Machine machine;
  static_cast<void>(machine.on_exit(0, kWell, 0));
  static_cast<void>(machine.on_exit(1, kKilled, 10));
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_EQ(machine.first_failure(), 1u);
}

TEST(StateMachine, FailsAStageWhoseInputsEndedBeforeItCameBack) {
  Machine machine;
  static_cast<void>(machine.on_exit(1, kKilled, 0));
  static_cast<void>(machine.on_exit(0, kWell, 10));
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_THAT(machine.reason(1), HasSubstr("its inputs ended before"));
}

TEST(StateMachine, DoesNotStartAgainWhatEndedWithItsInputs) {
  std::vector<StagePlan> plans = chain();
  plans[1].restart.when = Restart::always;
  Machine machine(plans);
  static_cast<void>(machine.on_exit(1, kWell, 0));  // seen before the end of its source is
  EXPECT_EQ(machine.state(1), RunState::backing_off);
  static_cast<void>(machine.on_exit(0, kWell, 1));
  EXPECT_EQ(machine.state(1), RunState::finished);
  EXPECT_FALSE(machine.first_failure());
}

TEST(StateMachine, FailsAStageThatCannotBeStarted) {
  StateMachine machine(chain(), {}, 1);
  static_cast<void>(machine.begin(0));
  EXPECT_EQ(machine.on_start_failed(1, "no such program", 5), (Actions{{Kind::interrupt, 0}}));
  EXPECT_EQ(machine.state(1), RunState::failed);
  EXPECT_EQ(machine.reason(1), "no such program");
}

TEST(StateMachine, IgnoresAnExitOfAStageWithoutProcess) {
  Machine machine;
  static_cast<void>(machine.on_exit(0, kWell, 0));
  EXPECT_TRUE(machine.on_exit(0, kKilled, 1).empty());
  EXPECT_EQ(machine.state(0), RunState::finished);
}

TEST(ExitText, SaysHow) {
  EXPECT_EQ(exit_text({3, 0}), "exit status 3");
  EXPECT_THAT(exit_text({0, 9}), HasSubstr("killed by signal 9"));
}

TEST(StateMachine, RestartsAStageWhenAskedWithoutABackOff) {
  Machine machine;
  EXPECT_EQ(machine.request_restart(1, 100), (Actions{{Kind::terminate, 1}}));
  EXPECT_EQ(machine.state(1), RunState::stopping);
  EXPECT_TRUE(machine.request_restart(1, 110).empty()) << "asked already";
  EXPECT_EQ(machine.on_exit(1, kBadly, 120), (Actions{{Kind::start, 1}})) << "however it ended";
  EXPECT_EQ(machine.state(1), RunState::starting);
  EXPECT_EQ(machine.restarts(1), 1U);
  EXPECT_FALSE(machine.ending());
  EXPECT_FALSE(machine.next_deadline_ms());
}

TEST(StateMachine, KillsAStageThatDoesNotStopForItsRestart) {
  Machine machine;
  (void)machine.request_restart(1, 0);
  EXPECT_EQ(machine.tick(5'000), (Actions{{Kind::kill, 1}}));
  EXPECT_EQ(machine.on_exit(1, kKilled, 5'001), (Actions{{Kind::start, 1}}));
}

TEST(StateMachine, AStageThatWasToRestartEndsWithAPipelineThatEndsMeanwhile) {
  Machine machine;
  (void)machine.request_restart(1, 0);
  (void)machine.request_end(1);
  EXPECT_TRUE(machine.on_exit(1, {0, 15}, 2).empty());
  EXPECT_EQ(machine.state(1), RunState::finished);
}

TEST(StateMachine, RestartsAtOnceWhatBacksOff) {
  Machine machine;
  (void)machine.on_exit(1, kKilled, 0);
  ASSERT_EQ(machine.state(1), RunState::backing_off);
  EXPECT_EQ(machine.request_restart(1, 1), (Actions{{Kind::start, 1}}));
}

TEST(StateMachine, TakesAStageOutHoweverItEnds) {
  Machine machine;
  EXPECT_EQ(machine.request_removal(2, 0), (Actions{{Kind::terminate, 2}}));
  EXPECT_TRUE(machine.on_exit(2, kBadly, 1).empty());
  EXPECT_EQ(machine.state(2), RunState::stopped);
  EXPECT_FALSE(machine.ending());
  EXPECT_FALSE(machine.first_failure());
}

TEST(StateMachine, TakesASourceOutByDrainingIt) {
  Machine machine;
  EXPECT_EQ(machine.request_removal(0, 0), (Actions{{Kind::interrupt, 0}}));
  EXPECT_EQ(machine.state(0), RunState::draining);
}

TEST(StateMachine, StartsWhatIsAddedOnceNothingIsOnItsWayOut) {
  Machine machine;
  StagePlan plan;
  plan.name = "more";
  plan.upstream = {0};
  machine.add(plan);
  EXPECT_EQ(machine.request_removal(2, 0), (Actions{{Kind::terminate, 2}}));
  EXPECT_EQ(machine.state(3), RunState::pending);
  EXPECT_EQ(machine.on_exit(2, kWell, 1), (Actions{{Kind::start, 3}}));
  EXPECT_EQ(machine.state(3), RunState::starting);
  EXPECT_EQ(machine.restarts(3), 0U);
}

TEST(StateMachine, WhatWritesOnWhatAnotherWritesWaitsForItsEnd) {
  Machine machine;
  machine.hold_back(1, {0});
  machine.hold_back(0, {1});  // they change places
  EXPECT_EQ(machine.request_restart(0, 0), (Actions{{Kind::terminate, 0}}));
  EXPECT_EQ(machine.request_restart(1, 0), (Actions{{Kind::terminate, 1}}));
  EXPECT_TRUE(machine.on_exit(1, kWell, 1).empty());
  EXPECT_EQ(machine.state(1), RunState::pending);
  EXPECT_THAT(machine.on_exit(0, kWell, 2),
              testing::UnorderedElementsAre(Action{Kind::start, 0}, Action{Kind::start, 1}));
  EXPECT_EQ(machine.request_restart(1, 3), (Actions{{Kind::terminate, 1}}));
  EXPECT_EQ(machine.on_exit(1, kWell, 4), (Actions{{Kind::start, 1}})) << "once";
}

TEST(StateMachine, WhatWaitsForItsTurnEndsWithThePipeline) {
  Machine machine;
  machine.hold_back(1, {0});
  (void)machine.request_restart(0, 0);
  (void)machine.request_restart(1, 0);
  (void)machine.on_exit(1, kWell, 1);
  ASSERT_EQ(machine.state(1), RunState::pending);
  (void)machine.request_end(2);
  EXPECT_EQ(machine.state(1), RunState::stopped);
}

TEST(StateMachine, WhatWasAddedAndNotStartedIsStoppedWithThePipeline) {
  Machine machine;
  machine.add({});
  (void)machine.request_end(0);
  EXPECT_EQ(machine.state(3), RunState::stopped);
}

}  // namespace
}  // namespace reel
