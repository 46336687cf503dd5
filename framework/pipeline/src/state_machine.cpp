#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <reel/pipeline/state_machine.hpp>

namespace reel {
namespace {

// Exit statuses that no restart will cure: a stage host's for its configuration, a shell's for a program it
// cannot run.
constexpr int kBadConfiguration = 2;
constexpr int kCannotExecute = 126;
constexpr int kNoSuchProgram = 127;
constexpr int kShellSignalBase =
    128;  // a shell's, and the stage host's, exit status for a program killed by a signal

bool ended_by_request(const ProcessExit& exit) {
  const int signal = exit.signal != 0 ? exit.signal : exit.status - kShellSignalBase;
  return signal == SIGINT || signal == SIGTERM;
}

bool hopeless(const StagePlan& plan, const ProcessExit& exit) {
  if (exit.signal != 0) return false;
  if (exit.status == kBadConfiguration) return true;
  return plan.program && (exit.status == kCannotExecute || exit.status == kNoSuchProgram);
}

}  // namespace

std::string_view to_string(RunState state) noexcept {
  switch (state) {
    case RunState::pending: return "pending";
    case RunState::starting: return "starting";
    case RunState::running: return "running";
    case RunState::backing_off: return "backing off";
    case RunState::draining: return "draining";
    case RunState::stopping: return "stopping";
    case RunState::killing: return "killing";
    case RunState::finished: return "finished";
    case RunState::failed: return "failed";
    case RunState::stopped: return "stopped";
  }
  return "failed";
}

std::string exit_text(const ProcessExit& exit) {
  if (exit.signal != 0) return fmt::format("killed by signal {} ({})", exit.signal, ::strsignal(exit.signal));
  return fmt::format("exit status {}", exit.status);
}

StateMachine::StateMachine(std::vector<StagePlan> plans, MachineTimings timings, std::uint32_t seed)
    : timings_(timings), random_(seed) {
  for (StagePlan& plan : plans) {
    Stage stage;
    stage.plan = std::move(plan);
    stages_.push_back(std::move(stage));
  }
}

bool StateMachine::alive(const Stage& stage) noexcept {
  return !terminal(stage.state) && stage.state != RunState::pending && stage.state != RunState::backing_off;
}

bool StateMachine::inputs_over(const Stage& stage) const {
  return !stage.plan.upstream.empty() &&
         std::all_of(stage.plan.upstream.begin(), stage.plan.upstream.end(),
                     [&](std::size_t up) { return terminal(stages_[up].state); });
}

bool StateMachine::inputs_ended_well(const Stage& stage) const {
  return std::all_of(stage.plan.upstream.begin(), stage.plan.upstream.end(), [&](std::size_t up) {
    return stages_[up].state == RunState::finished && !stages_[up].plan.program;
  });
}

bool StateMachine::ended_well(const Stage& stage, const ProcessExit& exit) {
  if (exit.signal == 0 && exit.status == 0) return true;
  const bool asked =
      stage.state == RunState::stopping || (stage.state == RunState::draining && stage.grace_ms == 0);
  return asked && (stage.plan.program || ended_by_request(exit));
}

bool StateMachine::wants_restart(const Stage& stage, const ProcessExit& exit) const {
  const bool well = exit.signal == 0 && exit.status == 0;
  if (phase_ != Phase::running || hopeless(stage.plan, exit) || inputs_over(stage)) return false;
  return stage.plan.restart.when == Restart::always ||
         (stage.plan.restart.when == Restart::on_failure && !well);
}

StateMachine::Actions StateMachine::begin(std::int64_t now_ms) {
  Actions actions;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    stages_[i].state = RunState::starting;
    stages_[i].started = true;
    actions.push_back({Action::Kind::start, i});
  }
  settle(now_ms, actions);
  return actions;
}

void StateMachine::on_running(std::size_t stage) {
  if (stages_.at(stage).state == RunState::starting) stages_[stage].state = RunState::running;
}

void StateMachine::on_progress(std::size_t stage, std::int64_t now_ms) {
  Stage& moved = stages_.at(stage);
  if (moved.state == RunState::draining && moved.grace_ms > 0) moved.deadline_ms = now_ms + moved.grace_ms;
}

StateMachine::Actions StateMachine::on_exit(std::size_t index, const ProcessExit& exit, std::int64_t now_ms,
                                            const std::string& said) {
  Actions actions;
  Stage& stage = stages_.at(index);
  if (!alive(stage)) return actions;
  // Of a process that was killed nobody knows whether the last thing it said has to do with it.
  const bool told = exit.signal == 0 && !said.empty();
  const std::string how = told ? fmt::format("{}: {}", exit_text(exit), said) : exit_text(exit);
  const bool well = ended_well(stage, exit);
  if (stage.then == Then::gone) {
    stage.state = RunState::stopped;
    stage.deadline_ms.reset();
    stage.reason = "taken out of the pipeline";
  } else if (stage.then == Then::again && phase_ == Phase::running) {
    ++stage.restarts;
    stage.reason.clear();
    begin_again(index, actions);
  } else if (wants_restart(stage, exit)) {
    while (!stage.recent.empty() && stage.recent.front() <= now_ms - stage.plan.restart.window_ms)
      stage.recent.pop_front();
    if (stage.recent.size() < stage.plan.restart.limit) {
      stage.ended_well = well;
      stage.how = how;
      back_off(stage, exit_text(exit), now_ms);
    } else {
      fail(index,
           fmt::format("{}; its limit of {} restarts in {} s is reached", how, stage.plan.restart.limit,
                       stage.plan.restart.window_ms / 1000.0),
           now_ms, actions);
    }
  } else if (well) {
    stage.state = RunState::finished;
    stage.deadline_ms.reset();
    stage.reason = exit.signal == 0 && exit.status == 0 ? "" : exit_text(exit) + " when asked to end";
  } else {
    fail(index, stage.state == RunState::killing ? "did not end when asked to, and was killed" : how, now_ms,
         actions);
  }
  settle(now_ms, actions);
  return actions;
}

StateMachine::Actions StateMachine::on_start_failed(std::size_t index, const std::string& reason,
                                                    std::int64_t now_ms) {
  Actions actions;
  fail(index, reason, now_ms, actions);
  settle(now_ms, actions);
  return actions;
}

void StateMachine::begin_again(std::size_t index, Actions& actions) {
  Stage& stage = stages_[index];
  stage.then = Then::as_it_ended;
  stage.deadline_ms.reset();
  stage.grace_ms = 0;
  if (held_back(stage)) {
    stage.state = RunState::pending;  // settle() goes on with it
    return;
  }
  stage.behind.clear();
  stage.started = true;
  stage.state = RunState::starting;
  actions.push_back({Action::Kind::start, index});
}

StateMachine::Actions StateMachine::request_restart(std::size_t index, std::int64_t now_ms) {
  Actions actions;
  Stage& stage = stages_.at(index);
  if (phase_ != Phase::running || terminal(stage.state) || stage.then != Then::as_it_ended) return actions;
  if (stage.state == RunState::backing_off) {
    ++stage.restarts;
    begin_again(index, actions);
  } else if (alive(stage)) {
    stage.then = Then::again;
    if (stage.state != RunState::stopping && stage.state != RunState::killing)
      terminate(index, now_ms, actions);
  }
  settle(now_ms, actions);
  return actions;
}

StateMachine::Actions StateMachine::request_removal(std::size_t index, std::int64_t now_ms) {
  Actions actions;
  Stage& stage = stages_.at(index);
  if (terminal(stage.state)) return actions;
  stage.then = Then::gone;
  if (!alive(stage)) {
    stage.state = RunState::stopped;
    stage.deadline_ms.reset();
    stage.reason = "taken out of the pipeline";
  } else if (stage.plan.upstream.empty() && stage.state != RunState::stopping &&
             stage.state != RunState::killing) {
    stage.state = RunState::draining;
    stage.deadline_ms = now_ms + timings_.drain_ms;
    stage.grace_ms = 0;
    actions.push_back({Action::Kind::interrupt, index});
  } else if (stage.state != RunState::stopping && stage.state != RunState::killing) {
    terminate(index, now_ms, actions);
  }
  settle(now_ms, actions);
  return actions;
}

void StateMachine::add(StagePlan plan) {
  Stage stage;
  stage.plan = std::move(plan);
  stages_.push_back(std::move(stage));
}

bool StateMachine::anything_leaves() const {
  return std::any_of(stages_.begin(), stages_.end(),
                     [](const Stage& stage) { return stage.then == Then::gone && alive(stage); });
}

bool StateMachine::held_back(const Stage& stage) const {
  return std::any_of(stage.behind.begin(), stage.behind.end(), [&](std::size_t other) {
    return alive(stages_[other]) && stages_[other].then != Then::as_it_ended;
  });
}

void StateMachine::back_off(Stage& stage, const std::string& why, std::int64_t now_ms) {
  const RestartRule& rule = stage.plan.restart;
  std::int64_t delay = rule.first_delay_ms;
  for (std::size_t i = 0; i < stage.recent.size() && delay < rule.longest_delay_ms; ++i) delay *= 2;
  delay = std::min<std::int64_t>(delay, rule.longest_delay_ms);
  // A quarter more or less, so that stages that died together do not come back together.
  delay += std::uniform_int_distribution<std::int64_t>(-delay / 4, delay / 4)(random_);
  stage.state = RunState::backing_off;
  stage.deadline_ms = now_ms + delay;
  stage.recent.push_back(now_ms);
  stage.reason =
      fmt::format("{}; restart {} in {:.2f} s", why, stage.restarts + 1, static_cast<double>(delay) / 1000);
}

void StateMachine::fail(std::size_t index, std::string reason, std::int64_t now_ms, Actions& actions) {
  Stage& stage = stages_.at(index);
  stage.state = RunState::failed;
  stage.deadline_ms.reset();
  stage.reason = std::move(reason);
  if (!first_failure_) first_failure_ = index;
  if (phase_ == Phase::running) begin_drain(now_ms, actions);
}

void StateMachine::begin_drain(std::int64_t now_ms, Actions& actions) {
  phase_ = Phase::draining;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    if (stage.state == RunState::backing_off && !stage.ended_well) {
      // Nothing was well with it when the pipeline ended, whoever ended that.
      fail(i, fmt::format("{}; the pipeline ended before restart {}", stage.how, stage.restarts + 1), now_ms,
           actions);
    } else if (stage.state == RunState::pending || stage.state == RunState::backing_off) {
      stage.state = RunState::stopped;
      stage.deadline_ms.reset();
    } else if (stage.state == RunState::starting || stage.state == RunState::running ||
               (stage.state == RunState::draining && stage.grace_ms > 0)) {
      stage.state = RunState::draining;
      stage.deadline_ms = now_ms + timings_.drain_ms;
      stage.grace_ms = 0;
      if (stage.plan.upstream.empty()) actions.push_back({Action::Kind::interrupt, i});
    }
  }
}

StateMachine::Actions StateMachine::request_end(std::int64_t now_ms) {
  Actions actions;
  if (phase_ == Phase::running) {
    begin_drain(now_ms, actions);
  } else {
    phase_ = phase_ == Phase::draining ? Phase::stopping : Phase::killing;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (!alive(stages_[i])) continue;
      if (phase_ == Phase::killing)
        kill(i, now_ms, actions);
      else if (stages_[i].state == RunState::draining)
        terminate(i, now_ms, actions);
    }
  }
  settle(now_ms, actions);
  return actions;
}

void StateMachine::terminate(std::size_t index, std::int64_t now_ms, Actions& actions) {
  stages_[index].state = RunState::stopping;
  stages_[index].deadline_ms = now_ms + timings_.stop_ms;
  actions.push_back({Action::Kind::terminate, index});
}

void StateMachine::kill(std::size_t index, std::int64_t now_ms, Actions& actions) {
  if (stages_[index].state == RunState::killing) return;
  stages_[index].state = RunState::killing;
  stages_[index].deadline_ms = now_ms + timings_.kill_ms;
  actions.push_back({Action::Kind::kill, index});
}

StateMachine::Actions StateMachine::tick(std::int64_t now_ms) {
  Actions actions;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    if (!stage.deadline_ms || *stage.deadline_ms > now_ms) continue;
    if (stage.state == RunState::backing_off) {
      stage.state = RunState::starting;
      stage.deadline_ms.reset();
      ++stage.restarts;
      actions.push_back({Action::Kind::start, i});
    } else if (stage.state == RunState::draining) {
      terminate(i, now_ms, actions);
    } else if (stage.state == RunState::stopping) {
      kill(i, now_ms, actions);
    } else if (stage.state == RunState::killing) {
      actions.push_back({Action::Kind::give_up, i});
      stage.then = Then::as_it_ended;
      fail(i,
           fmt::format("could not be killed: process {} is still there {} s after SIGKILL", stage.pid,
                       timings_.kill_ms / 1000.0),
           now_ms, actions);
    }
  }
  settle(now_ms, actions);
  return actions;
}

// The end of a stage changes what those behind it may wait for; until nothing changes any more.
void StateMachine::settle(std::int64_t now_ms, Actions& actions) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t i = 0; i < stages_.size(); ++i) changed = settle_stage(i, now_ms, actions) || changed;
  }
}

bool StateMachine::settle_stage(std::size_t index, std::int64_t now_ms, Actions& actions) {
  Stage& stage = stages_[index];
  if (stage.state == RunState::pending && phase_ == Phase::running && !held_back(stage) &&
      (stage.started || !anything_leaves())) {
    begin_again(index, actions);
    return true;
  }
  if (!inputs_over(stage)) return false;
  const std::int64_t grace =
      inputs_ended_well(stage) ? timings_.drain_ms : std::min(timings_.orphan_ms, timings_.drain_ms);
  if (stage.state == RunState::backing_off) {
    if (stage.ended_well) {
      stage.state = RunState::finished;
      stage.deadline_ms.reset();
      stage.reason.clear();
    } else {
      fail(index, stage.reason + ", but its inputs ended before", now_ms, actions);
    }
    return true;
  }
  if (stage.state == RunState::starting || stage.state == RunState::running) {
    stage.state = RunState::draining;
    stage.grace_ms = grace;
    stage.deadline_ms = now_ms + grace;
    return true;
  }
  if (stage.state == RunState::draining && *stage.deadline_ms > now_ms + grace) {
    stage.deadline_ms = now_ms + grace;
    return true;
  }
  return false;
}

std::optional<std::int64_t> StateMachine::next_deadline_ms() const {
  std::optional<std::int64_t> next;
  for (const Stage& stage : stages_) {
    if (stage.deadline_ms && (!next || *stage.deadline_ms < *next)) next = stage.deadline_ms;
  }
  return next;
}

bool StateMachine::done() const {
  return std::all_of(stages_.begin(), stages_.end(),
                     [](const Stage& stage) { return terminal(stage.state); });
}

}  // namespace reel
