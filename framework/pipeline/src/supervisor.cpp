#include "control_server.hpp"
#include "graph_change.hpp"
#include "hang_watch.hpp"
#include "line_outlet.hpp"
#include "running_report.hpp"
#include "service_desk.hpp"
#include "signal_watch.hpp"
#include "stage_plans.hpp"
#include "stage_process.hpp"
#include "stream_watch.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/pipeline/debugging.hpp>
#include <reel/pipeline/state_machine.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace reel {
namespace {

constexpr std::string_view kOwnName = "reel";
constexpr std::int64_t kLookMs = 100;  // between two looks at the stages' pages
constexpr std::int64_t kChanceMs =
    20'000;                          // for a stage to begin, before the pipeline counts as up without it
constexpr std::int64_t kFullMs = 5;  // the same while what the stages wrote has to wait
constexpr std::int64_t kOneRequestMs = 200;  // terminals and wrappers deliver one Ctrl-C twice

std::int64_t now_ms() {
  return monotonic_ns() / 1'000'000;
}

LogLevel level_of(RunState state) {
  switch (state) {
    case RunState::failed: return LogLevel::error;
    case RunState::backing_off:
    case RunState::killing: return LogLevel::warning;
    case RunState::finished: return LogLevel::info;
    default: return LogLevel::debug;
  }
}

}  // namespace

class Supervisor::Impl {
 public:
  Impl(Graph graph, SupervisorOptions options)
      : graph_(for_debugger(std::move(graph), options.debugged)),
        options_(std::move(options)),
        machine_(plans_of(graph_), timings_of(graph_), std::random_device{}()),
        present_(graph_.stages.size(), true),
        announced_(graph_.stages.size(), RunState::pending),
        last_error_(graph_.stages.size()) {
    for (const GraphStage& stage : graph_.stages) processes_.emplace_back(stage);
    find_writers();
  }

  PipelineReport run() {
    directory_ = writable_runtime_dir();
    check_not_written_elsewhere(graph_);
    host_ = options_.stage_host.empty() ? find_stage_host() : options_.stage_host;
    for (const GraphStage& stage : graph_.stages)
      (void)command_of(stage);  // throws where its host is not there
    control_.emplace(directory_, graph_.name, handlers());
    desk_.open(options_.serve ? options_.serve : graph_.serve);
    sweep();
    supervise();
    sweep();
    control_.reset();
    // No signal is watched any more: one ends this process, should nobody take what is left.
    outlet_.flush();
    return report();
  }

 private:
  // Its readers would join the streams of whoever writes them, and hold that up.
  void check_not_written_elsewhere(const Graph& graph) const {
    for (const GraphStream& stream : graph.streams)
      if (writers_now(stream.name).empty()) check_not_written(directory_, stream.name);
  }

  // Stages whose processes write the stream, as the graph has it or had it.
  [[nodiscard]] std::vector<std::size_t> writers_now(const std::string& stream) const {
    std::vector<std::size_t> writers;
    for (std::size_t i = 0; i < processes_.size(); ++i)
      if (processes_[i].writes(stream)) writers.push_back(i);
    return writers;
  }

  void supervise() {
    SignalWatch signals;
    started_ms_ = now_ms();
    next_progress_ms_ = started_ms_ + options_.progress_ms;
    carry_out(machine_.begin(started_ms_));
    while (!machine_.done()) {
      wait(signals);
      for (const int signal : signals.take()) on_signal(signal);
      control_->serve();
      for (std::size_t i = 0; i < processes_.size(); ++i) look_at(i);
      outlet_.tell_of_dropped();
      if (duration_over()) on_duration();
      carry_out(machine_.tick(now_ms()));
      tend_desk();
      report_progress();
    }
  }

  // About a stage or the pipeline, in our own words.
  void log_line(std::string_view source, LogLevel level, std::string_view line) {
    outlet_.log(source, level, line);
  }

  [[nodiscard]] const std::string& name(std::size_t stage) const { return graph_.stages[stage].config.name; }

  [[nodiscard]] StageProcess::LineSink output_sink(std::size_t stage) {
    return [this, stage](std::string_view line) { outlet_.result(name(stage), line); };
  }

  [[nodiscard]] StageProcess::LineSink error_sink(std::size_t stage) {
    return [this, stage](std::string_view line) {
      const RelayLine parsed = parse_relay_line(line);
      if (parsed.level == LogLevel::error) last_error_[stage] = parsed.text;
      outlet_.relay(name(stage), parsed.level, parsed.text);
    };
  }

  // An action can fail and so bring about more of them.
  void carry_out(const StateMachine::Actions& actions) {
    std::deque<Action> todo(actions.begin(), actions.end());
    announce();
    while (!todo.empty()) {
      const Action action = todo.front();
      todo.pop_front();
      const StateMachine::Actions more = carry_out(action);
      todo.insert(todo.end(), more.begin(), more.end());
      announce();
    }
  }

  StateMachine::Actions carry_out(const Action& action) {
    StageProcess& process = processes_[action.stage];
    if (action.kind == Action::Kind::start) {
      try {
        last_error_[action.stage].clear();
        process.start(command_of(graph_.stages[action.stage]), current_setup(action.stage));
        tell_of_ended(action.stage);
        mark_reader(action.stage, false);
        machine_.on_started(action.stage, process.process().pid());
        if (name(action.stage) == graph_.debugged) options_.on_debuggee(process.process().pid());
      } catch (const Error& error) {
        return machine_.on_start_failed(action.stage, error.what(), now_ms());
      }
      return {};
    }
    if (!process.has_process()) return {};
    switch (action.kind) {
      case Action::Kind::interrupt:
        process.process().send(drain_signal_of(graph_, name(action.stage)));
        break;
      case Action::Kind::terminate: process.process().send(SIGTERM); break;
      case Action::Kind::kill: process.process().kill_group(); break;
      case Action::Kind::give_up: process.give_up(); break;
      case Action::Kind::start: break;
    }
    return {};
  }

  std::vector<std::string> command_of(const GraphStage& stage) {
    if (stage.gst && gst_host_.empty()) gst_host_ = find_gst_stage_host();
    const auto wrapper = options_.wrappers.find(stage.config.name);
    std::vector<std::string> command;
    if (wrapper != options_.wrappers.end()) command = wrapper->second;
    command.push_back(stage.gst ? gst_host_ : host_);
    return command;
  }

  // As the graph says; once started before, the stage goes on where it was.
  [[nodiscard]] StageSetup current_setup(std::size_t stage) const {
    StageSetup setup = graph_.stages[stage].setup;
    if (machine_.restarts(stage) == 0) return setup;
    for (InputSetup& input : setup.inputs) input.reader.start = Start::resume;
    return setup;
  }

  // One line for each change of a stage that people want to know of.
  void announce() {
    for (std::size_t i = 0; i < announced_.size(); ++i) {
      const RunState state = machine_.state(i);
      if (std::exchange(announced_[i], state) == state) continue;
      if (terminal(state)) {
        end_streams_of(i);
        mark_reader(i, true);
      }
      const std::string& reason = machine_.reason(i);
      const std::string text =
          reason.empty() ? std::string(to_string(state)) : fmt::format("{}: {}", to_string(state), reason);
      log_line(name(i), level_of(state), text);
    }
  }

  // A stage that is started when others have ended: nothing came to its page of that.
  void tell_of_ended(std::size_t stage) {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (i == stage || !present_[i] || !terminal(machine_.state(i))) continue;
      end_streams_of(i);
      mark_reader(i, true);
    }
  }

  // Who reads them need not have met their writer, nor have heard of its end: a stage started again just now.
  void end_streams_of(std::size_t writer) {
    for (const std::size_t reader : graph_.stages[writer].downstream) {
      const std::vector<InputSetup>& inputs = graph_.stages[reader].setup.inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto found = stream_writer_.find(inputs[i].stream);
        if (found != stream_writer_.end() && found->second == writer) processes_[reader].end_input(i);
      }
    }
  }

  // Nobody shall wait, before a first frame or in its absence, for a reader that will not come.
  void mark_reader(std::size_t stage, bool ended) {
    for (const InputSetup& input : graph_.stages[stage].setup.inputs) {
      const auto found = stream_writer_.find(input.stream);
      if (found == stream_writer_.end()) continue;
      processes_[found->second].mark_reader(input.stream, input.reader.name, ended);
    }
  }

  void wait(const SignalWatch& signals) {
    std::vector<pollfd> polled{{signals.fd(), POLLIN, 0}};
    control_->add_polled(polled);
    desk_.add_polled(polled);
    const bool output = outlet_.wants_results(), error = outlet_.wants_log();
    for (const StageProcess& process : processes_) {
      if (!process.has_process()) continue;
      // poll() passes over descriptors below 0.
      polled.push_back({output ? process.process().output_fd() : -1, POLLIN, 0});
      polled.push_back({error ? process.process().error_fd() : -1, POLLIN, 0});
    }
    const std::int64_t now = now_ms();
    std::int64_t until = now + (output && error ? kLookMs : kFullMs);
    if (control_->has_work()) until = now;
    for (const auto& deadline : {machine_.next_deadline_ms(), desk_.next_ms()})
      if (deadline) until = std::min(until, *deadline);
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, until - now)));
  }

  void look_at(std::size_t stage) {
    StageProcess& process = processes_[stage];
    const bool output = outlet_.wants_results(), error = outlet_.wants_log();
    health_.runs(stage, machine_.state(stage) == RunState::running, now_ms());
    if (output) process.read_output(output_sink(stage));
    if (error) process.read_error(error_sink(stage));
    if (process.says_running()) machine_.on_running(stage);
    if (process.has_progressed()) {
      machine_.on_progress(stage, now_ms());
      health_.moved(stage, now_ms());
    }
    look_for_hang(stage);
    if (!output || !error) return;  // the last words of a process are read when its end is seen
    if (const auto exit = process.poll_exit(output_sink(stage), error_sink(stage)))
      carry_out(machine_.on_exit(stage, *exit, now_ms(), last_error_[stage]));
  }

  // Told of once a call; killed where its hang_timeout says so, and then restarted as after any death.
  void look_for_hang(std::size_t stage) {
    if (name(stage) == graph_.debugged) return;
    StageProcess& process = processes_[stage];
    const auto found =
        hangs_.look(stage, process.busy_ms(now_ms()), graph_.stages[stage].config.hang_timeout_ms);
    if (!found) return;
    log_line(name(stage), found->level, found->text);
    if (found->kill) process.process().kill_group();
  }

  [[nodiscard]] ControlHandlers handlers() {
    return {[this] { return status(); },
            [this] { request_end("`reel stop`"); },
            [this](const std::string& stage) { restart(stage); },
            [this](const std::string& file, const std::vector<std::string>& overrides) {
              return apply(file, overrides);
            },
            [this] { return trace(); },
            [this] {
              for (StageProcess& process : processes_) process.end_trace();
            }};
  }

  std::vector<TracedStage> trace() {
    std::vector<TracedStage> stages;
    for (std::size_t i = 0; i < processes_.size(); ++i)
      if (present_[i]) stages.push_back(processes_[i].trace());
    return stages;
  }

  [[nodiscard]] PipelineStatus status() const { return status_of(graph_, present_, machine_, report()); }

  void check_not_ending() const {
    if (machine_.ending())
      throw Error(ErrorCode::refused,
                  fmt::format("the pipeline \"{}\" is on its way to its end", graph_.name));
  }

  void restart(const std::string& stage_name) {
    check_not_ending();
    const std::size_t stage = find_stage(graph_, present_, stage_name);
    if (terminal(machine_.state(stage)))
      throw Error(
          ErrorCode::refused,
          fmt::format("the stage \"{}\" has {}: its streams are at their end, nothing would come again",
                      stage_name, to_string(machine_.state(stage))));
    log_line(stage_name, LogLevel::info, "asked to restart");
    begin_again(stage);
  }

  void begin_again(std::size_t stage) {
    hand_over(stage, graph_.stages[stage].setup.inputs);
    carry_out(machine_.request_restart(stage, now_ms()));
  }

  // Before its process is asked to end: what goes on without it.
  void hand_over(std::size_t stage, const std::vector<InputSetup>& successor) {
    processes_[stage].hand_over(
        successor, [this](const std::string& stream) { return stream_writer_.contains(stream); });
  }

  // Before any process is asked to end: one that writes what another has written waits for the end of that.
  void hold_back(std::size_t stage) {
    std::vector<std::size_t> leavers;
    for (const OutputSetup& output : graph_.stages[stage].setup.outputs)
      for (const std::size_t writer : writers_now(output.stream))
        if (writer != stage) leavers.push_back(writer);
    machine_.hold_back(stage, std::move(leavers));
  }

  std::vector<std::string> apply(const std::string& file, const std::vector<std::string>& overrides) {
    check_not_ending();
    Graph next = for_debugger(load_successor(graph_, file, overrides), graph_.debugged);
    check_not_written_elsewhere(next);
    std::vector<bool> ended;
    for (std::size_t i = 0; i < graph_.stages.size(); ++i) ended.push_back(terminal(machine_.state(i)));
    const GraphChange change = compare(graph_, present_, ended, next);
    const std::vector<std::string> lines = describe(change, graph_, next);
    merge(change, graph_, present_, std::move(next));
    carry_out(change);
    for (const std::string& line : lines) log_line(kOwnName, LogLevel::info, line);
    return lines;
  }

  // Indices of stages stay what they are; new ones come behind them.
  void carry_out(const GraphChange& change) {
    find_writers();
    machine_.change(timings_of(graph_));
    const std::size_t old_size = processes_.size();
    for (std::size_t i = old_size; i < graph_.stages.size(); ++i) {
      processes_.emplace_back(graph_.stages[i]);
      announced_.push_back(RunState::pending);
      last_error_.emplace_back();
      machine_.add(plan_of(graph_.stages[i]));
    }
    for (const GraphChange::Kept& kept : change.kept) {
      machine_.change(kept.before, plan_of(graph_.stages[kept.before]));
      processes_[kept.before].change(graph_.stages[kept.before]);
    }
    for (std::size_t i = old_size; i < processes_.size(); ++i) hold_back(i);
    for (const GraphChange::Kept& kept : change.kept)
      if (!kept.restart.empty()) hold_back(kept.before);
    for (const std::size_t stage : change.removed) {
      hand_over(stage, {});
      carry_out(machine_.request_removal(stage, now_ms()));
    }
    for (const GraphChange::Kept& kept : change.kept)
      if (!kept.restart.empty()) begin_again(kept.before);
    carry_out(machine_.tick(now_ms()));
  }

  void find_writers() {
    stream_writer_.clear();
    for (const GraphStream& stream : graph_.streams) stream_writer_[stream.name] = stream.writer;
  }

  void on_signal(int signal) {
    if (signal == SIGCHLD) return;  // every process is looked at in any case
    if (asked_ms_ && now_ms() - *asked_ms_ < kOneRequestMs) return;
    request_end("");
  }

  void request_end(std::string_view by) {
    const bool again = std::exchange(asked_ms_, now_ms()).has_value();
    const bool draining = machine_.ending();  // also by itself: a stage has failed, its time is over
    const std::string_view what = again      ? "asked to end again: hurrying"
                                  : draining ? "draining already; once more stops at once"
                                             : "draining; once more stops at once";
    log_line(kOwnName, LogLevel::info, by.empty() ? std::string(what) : fmt::format("{}: {}", by, what));
    if (again || !draining) carry_out(machine_.request_end(now_ms()));
  }

  [[nodiscard]] bool duration_over() const {
    return options_.duration_ms > 0 && !machine_.ending() && now_ms() - started_ms_ >= options_.duration_ms;
  }

  void on_duration() {
    log_line(kOwnName, LogLevel::info, fmt::format("draining after {} s", options_.duration_ms / 1000.0));
    carry_out(machine_.request_end(now_ms()));
  }

  void tend_desk() {
    if (machine_.ending())
      desk_.ending();
    else if (all_had_a_chance(present_, machine_) || now_ms() - started_ms_ >= kChanceMs)
      desk_.ready();
    if (desk_.watched()) {
      watch_.want(health_.streams_to_see(graph_, present_, now_ms()));
      if (auto looks = watch_.news()) health_.saw(std::move(*looks), graph_, now_ms());
    }
    desk_.tend(graph_.health, now_ms());
  }

  void report_progress() {
    if (!options_.on_progress || options_.progress_ms <= 0 || now_ms() < next_progress_ms_) return;
    next_progress_ms_ = now_ms() + options_.progress_ms;
    if (progress_waits_.exchange(true, std::memory_order_relaxed))
      return;  // the one before was not taken yet
    outlet_.call([this, now = report()] {
      progress_waits_.store(false, std::memory_order_relaxed);
      options_.on_progress(now);
    });
  }

  void sweep() {
    std::vector<std::string> swept = sweep_runtime_dir(directory_);
    for (std::string& pipeline : sweep_control(directory_)) swept.push_back(std::move(pipeline));
    if (!swept.empty())
      log_line(kOwnName, LogLevel::debug, fmt::format("removed what was left of {}", fmt::join(swept, ", ")));
  }

  [[nodiscard]] PipelineReport report() const {
    return report_of(graph_, processes_, machine_, static_cast<double>(now_ms() - started_ms_) / 1000);
  }

  Graph graph_;  // as applied last; stages that were taken out keep their places
  SupervisorOptions options_;
  std::atomic<bool> progress_waits_{false};
  LineOutlet outlet_{options_, [this](LogLine line) {
                       if (control_) control_->add_log(std::move(line));
                     }};
  StateMachine machine_;
  std::deque<StageProcess> processes_;
  std::map<std::string, std::size_t> stream_writer_;
  std::vector<bool> present_;  // false: taken out
  std::vector<RunState> announced_;
  std::vector<std::string> last_error_;  // that the stage's process wrote
  std::string directory_, host_, gst_host_;
  std::int64_t started_ms_ = 0, next_progress_ms_ = 0;
  std::optional<std::int64_t> asked_ms_;  // when somebody last asked for the end
  std::optional<ControlServer> control_;
  HangWatch hangs_;
  HealthWatch health_;
  StreamWatch watch_;
  ServiceDesk desk_{{[this] { return report(); },
                     [this](const PipelineReport& report) {
                       return health_.look(report, graph_, present_, machine_.ending(), now_ms());
                     },
                     [this](LogLevel level, std::string_view line) { log_line(kOwnName, level, line); }}};
};

Supervisor::Supervisor(Graph graph, SupervisorOptions options)
    : impl_(std::make_unique<Impl>(std::move(graph), std::move(options))) {}

Supervisor::~Supervisor() = default;

PipelineReport Supervisor::run() {
  return impl_->run();
}

}  // namespace reel
