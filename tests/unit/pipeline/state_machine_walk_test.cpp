// Random walks through the state machine with stages that misbehave in every way, are restarted, taken out
// and added: each stage always comes to a terminal state, within a bound that the deadlines give, and a
// process that is not there is never signalled or started twice.
#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <reel/pipeline/state_machine.hpp>

namespace reel {
namespace {

class Walk {
 public:
  explicit Walk(std::uint32_t seed)
      : random_(seed), plans_(make_plans()), machine_(plans_, MachineTimings{}, seed) {
    alive_.resize(plans_.size());
    hangs_.resize(plans_.size());
    immortal_.resize(plans_.size());
    for (auto&& hangs : hangs_) hangs = below(8) == 0;
    for (std::size_t i = 0; i < plans_.size(); ++i) immortal_[i] = below(8) == 0;
  }

  void run() {
    obey(machine_.begin(now_));
    // Some never end by themselves: after a while somebody asks for the end.
    for (int step = 0; step < 400 && !machine_.done(); ++step) random_event();
    if (!machine_.done()) obey(machine_.request_end(now_));
    for (int step = 0; step < 400 && !machine_.done(); ++step) {
      const auto deadline = machine_.next_deadline_ms();
      kill_the_killed();
      ASSERT_TRUE(deadline) << "nothing leads on";
      now_ = std::max(now_, *deadline);
      obey(machine_.tick(now_));
    }
    ASSERT_TRUE(machine_.done());
    EXPECT_FALSE(machine_.next_deadline_ms());
    EXPECT_EQ(std::count(alive_.begin(), alive_.end(), true), 0) << "a process outlives the pipeline";
    check_failure();
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  std::vector<StagePlan> make_plans() {
    std::vector<StagePlan> plans(1 + below(6));
    for (std::size_t i = 0; i < plans.size(); ++i) {
      plans[i].restart.when = static_cast<Restart>(below(3));
      plans[i].restart.limit = below(4);
      plans[i].program = below(4) == 0;
      for (std::size_t up = 0; up < i; ++up) {
        if (below(3) == 0) plans[i].upstream.push_back(up);
      }
    }
    return plans;
  }

  void random_event() {
    now_ += below(3000);
    const std::size_t stage = below(static_cast<std::uint32_t>(plans_.size()));
    switch (below(12)) {
      case 0: machine_.on_running(stage); break;
      case 1: exit(stage, {0, 0}); break;
      case 2: exit(stage, {static_cast<int>(below(3)), 0}); break;
      case 3: exit(stage, {0, 9}); break;
      case 4: machine_.on_progress(stage, now_); break;
      case 5:
        if (below(40) == 0) obey(machine_.request_end(now_));
        break;
      case 6: kill_the_killed(); break;
      case 7:
        if (below(3) == 0) machine_.hold_back(stage, {below(static_cast<std::uint32_t>(plans_.size()))});
        if (below(4) == 0) obey(machine_.request_restart(stage, now_));
        break;
      case 8:
        if (below(10) == 0) change();
        break;
      default: obey(machine_.tick(now_)); break;
    }
  }

  // A stage is taken out, or one more comes, or both.
  void change() {
    if (machine_.ending() || machine_.done()) return;
    if (below(2) == 0) {
      StagePlan plan = plans_[below(static_cast<std::uint32_t>(plans_.size()))];
      plans_.push_back(plan);
      for (std::vector<bool>* each : {&alive_, &hangs_, &immortal_}) each->push_back(false);
      machine_.add(plan);
    }
    if (below(2) == 0) obey(machine_.request_removal(below(static_cast<std::uint32_t>(plans_.size())), now_));
    obey(machine_.tick(now_));
  }

  void exit(std::size_t stage, ProcessExit how) {
    if (!alive_[stage] || immortal_[stage]) return;
    alive_[stage] = false;
    obey(machine_.on_exit(stage, how, now_));
  }

  // Whoever got SIGKILL is gone, whether it hangs or not; but for those that the kernel does not let go.
  void kill_the_killed() {
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      if (machine_.state(i) == RunState::killing) exit(i, {0, 9});
    }
  }

  void obey(StateMachine::Actions actions) {
    for (std::size_t next = 0; next < actions.size(); ++next) {
      const Action action = actions[next];
      StateMachine::Actions more;
      if (action.kind == Action::Kind::start) {
        ASSERT_FALSE(alive_[action.stage]) << "started twice";
        if (below(20) == 0)
          more = machine_.on_start_failed(action.stage, "no", now_);
        else
          alive_[action.stage] = true;
      } else if (action.kind == Action::Kind::give_up) {
        alive_[action.stage] = false;
      } else if (alive_[action.stage] && !hangs_[action.stage] && !immortal_[action.stage] &&
                 action.kind != Action::Kind::kill && below(2) == 0) {
        alive_[action.stage] = false;
        more = machine_.on_exit(action.stage, {0, 0}, now_);
      }
      actions.insert(actions.end(), more.begin(), more.end());
    }
  }

  void check_failure() const {
    bool failed = false;
    for (std::size_t i = 0; i < plans_.size(); ++i) failed = failed || machine_.state(i) == RunState::failed;
    EXPECT_EQ(failed, machine_.first_failure().has_value());
  }

  std::minstd_rand random_;
  std::vector<StagePlan> plans_;
  StateMachine machine_;
  std::vector<bool> alive_, hangs_, immortal_;
  std::int64_t now_ = 0;
};

TEST(StateMachineWalk, AlwaysComesToAnEnd) {
  for (std::uint32_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Walk(seed).run();
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace reel
