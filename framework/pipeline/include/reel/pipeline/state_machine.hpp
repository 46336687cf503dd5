// What a supervisor does next: the states of a pipeline's stages, restarts, draining and stopping, without
// processes or clocks. The supervisor reports events with their time and carries out the actions it gets
// back. Single-thread, pure.
//
// Invariant: once the pipeline is ending (every source has ended, a stage has failed for good, or it was
// asked to), every stage that is not in a terminal state has a deadline, and each deadline leads on: draining
// -> stopping -> killing -> terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <reel/pipeline/config.hpp>

namespace reel {

enum class RunState {
  pending,   // not started yet, or to be once another process has ended
  starting,  // a process that has not said it is running
  running,
  backing_off,  // ended; will be started again at a known time
  draining,     // asked to end by itself, or all it reads from has ended
  stopping,     // got SIGTERM
  killing,      // got SIGKILL
  finished,     // terminal: ended well
  failed,       // terminal: ended badly, for good
  stopped       // terminal: had no process when the pipeline ended, and none had failed; or was taken out
};
[[nodiscard]] std::string_view to_string(RunState state) noexcept;
[[nodiscard]] constexpr bool terminal(RunState state) noexcept {
  return state >= RunState::finished;
}

struct StagePlan {
  std::string name;
  RestartRule restart;
  std::vector<std::size_t> upstream;  // indices of the stages it reads from; none: a source
  bool program = false;  // somebody else's (exec): how it ends once it was asked to does not count, nor is it
                         // trusted to end its streams
};

struct MachineTimings {
  std::int64_t drain_ms = 15'000;  // for ending by itself, before SIGTERM: after a request in all, after the
                                   // end of its inputs without progress
  std::int64_t stop_ms = 5'000;    // between SIGTERM and SIGKILL
  std::int64_t kill_ms = 5'000;    // for dying of SIGKILL; then the process is given up
  std::int64_t orphan_ms =
      1'000;  // instead of drain_ms for a stage that may never be told of the end of its inputs
};

struct Action {
  enum class Kind {
    start,
    interrupt,  // SIGINT
    terminate,  // SIGTERM
    kill,       // SIGKILL
    give_up     // the process is not waited for any longer
  };
  Kind kind;
  std::size_t stage;
  bool operator==(const Action&) const = default;
};

/// How a process ended.
struct ProcessExit {
  int status = 0;  // exit status; meaningless when `signal` is not 0
  int signal = 0;  // that killed it; 0: it exited by itself
};
[[nodiscard]] std::string exit_text(
    const ProcessExit& exit);  // "exit status 1", "killed by signal 9 (Killed)"

class StateMachine {
 public:
  using Actions = std::vector<Action>;
  /// `seed` is of the back-off's jitter. REQUIRES: indices in `upstream` are below the number of plans, and
  /// no cycles.
  StateMachine(std::vector<StagePlan> plans, MachineTimings timings, std::uint32_t seed);

  // Events. Times are milliseconds of one steady clock and never decrease.
  [[nodiscard]] Actions begin(std::int64_t now_ms);
  /// The process that the stage has now: for messages.
  void on_started(std::size_t stage, int pid) { stages_.at(stage).pid = pid; }
  /// The stage's process says that it is running. Ignored in every state but `starting`.
  void on_running(std::size_t stage);
  /// `said`: the last error that the process told of; part of the reason when the stage has failed by it.
  [[nodiscard]] Actions on_exit(std::size_t stage, const ProcessExit& exit, std::int64_t now_ms,
                                const std::string& said = {});
  /// The process could not be made: the stage has failed for good.
  [[nodiscard]] Actions on_start_failed(std::size_t stage, const std::string& reason, std::int64_t now_ms);
  /// Asks the pipeline to end: drains at first; asked again, goes one step further (SIGTERM, SIGKILL).
  [[nodiscard]] Actions request_end(std::int64_t now_ms);
  /// Ends the stage's process and starts it again, without a back-off and without counting it among those
  /// that fail. Nothing happens to a stage that has ended, nor once the pipeline is ending.
  [[nodiscard]] Actions request_restart(std::size_t stage, std::int64_t now_ms);
  /// Ends the stage, whose place then stays empty, while the pipeline goes on: a source drains, others are
  /// terminated. However it ends is well.
  [[nodiscard]] Actions request_removal(std::size_t stage, std::int64_t now_ms);
  /// A stage more, whose index is that of the last one before it plus 1. tick() starts it once no stage is on
  /// its way out any more: that may write what it will write.
  void add(StagePlan plan);
  /// The stage's plan from now on.
  void change(std::size_t stage, StagePlan plan) { stages_.at(stage).plan = std::move(plan); }
  /// The same of the pipeline's timings: what has a deadline already keeps it.
  void change(const MachineTimings& timings) { timings_ = timings; }
  /// The stage's next process is not started before those of `leavers` that are asked to end have ended: it
  /// writes what they write.
  void hold_back(std::size_t stage, std::vector<std::size_t> leavers) {
    stages_.at(stage).behind = std::move(leavers);
  }
  /// The stage has taken or given a frame since the last call.
  void on_progress(std::size_t stage, std::int64_t now_ms);
  /// To be called when next_deadline_ms() has come; early calls do nothing.
  [[nodiscard]] Actions tick(std::int64_t now_ms);

  [[nodiscard]] std::optional<std::int64_t> next_deadline_ms() const;
  [[nodiscard]] bool done() const;
  [[nodiscard]] bool ending() const noexcept { return phase_ != Phase::running; }
  [[nodiscard]] RunState state(std::size_t stage) const { return stages_.at(stage).state; }
  [[nodiscard]] std::uint32_t restarts(std::size_t stage) const { return stages_.at(stage).restarts; }
  /// Why the stage is as it is: "killed by signal 9 (Killed); restart 2 in 0.5 s". Empty where there is
  /// nothing to say.
  [[nodiscard]] const std::string& reason(std::size_t stage) const { return stages_.at(stage).reason; }
  /// The first stage that failed for good.
  [[nodiscard]] std::optional<std::size_t> first_failure() const noexcept { return first_failure_; }

 private:
  enum class Phase { running, draining, stopping, killing };
  enum class Then { as_it_ended, again, gone };  // when a process that was asked to end has done so
  struct Stage {
    StagePlan plan;
    RunState state = RunState::pending;
    std::uint32_t restarts = 0;
    std::deque<std::int64_t> recent;          // times of the restarts within the window
    std::optional<std::int64_t> deadline_ms;  // of backing_off, draining, stopping, killing
    std::int64_t grace_ms = 0;  // draining: the deadline moves so far beyond each progress; 0: it stands
    bool ended_well = false;    // backing_off: the process had ended with status 0
    bool started = false;       // it has had a process
    Then then = Then::as_it_ended;
    std::vector<std::size_t> behind;  // whose processes end before its next one is started
    int pid = 0;                      // of its present or last process
    std::string how;                  // backing_off: the way its last process ended
    std::string reason;
  };

  [[nodiscard]] static bool alive(const Stage& stage) noexcept;
  [[nodiscard]] bool inputs_over(const Stage& stage) const;
  [[nodiscard]] bool inputs_ended_well(const Stage& stage) const;
  [[nodiscard]] static bool ended_well(const Stage& stage, const ProcessExit& exit);
  [[nodiscard]] bool wants_restart(const Stage& stage, const ProcessExit& exit) const;
  [[nodiscard]] bool anything_leaves() const;
  [[nodiscard]] bool held_back(const Stage& stage) const;
  void begin_again(std::size_t index, Actions& actions);
  void back_off(Stage& stage, const std::string& why, std::int64_t now_ms);
  void fail(std::size_t index, std::string reason, std::int64_t now_ms, Actions& actions);
  void begin_drain(std::int64_t now_ms, Actions& actions);
  void terminate(std::size_t index, std::int64_t now_ms, Actions& actions);
  void kill(std::size_t index, std::int64_t now_ms, Actions& actions);
  void settle(std::int64_t now_ms, Actions& actions);
  [[nodiscard]] bool settle_stage(std::size_t index, std::int64_t now_ms, Actions& actions);

  std::vector<Stage> stages_;
  MachineTimings timings_;
  std::minstd_rand random_;
  Phase phase_ = Phase::running;
  std::optional<std::size_t> first_failure_;
};

}  // namespace reel
