#include "outbox.hpp"
#include "signal_watch.hpp"
#include "stage_process.hpp"

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

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/pipeline/state_machine.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace reel {
namespace {

constexpr std::string_view kOwnName = "reel";
constexpr std::int64_t kLookMs = 100;        // between two looks at the stages' pages
constexpr std::int64_t kFullMs = 5;          // the same while what the stages wrote has to wait
constexpr std::size_t kLineCost = 100;       // bytes of a line that waits to be printed, besides its text
constexpr std::int64_t kOneRequestMs = 200;  // terminals and wrappers deliver one Ctrl-C twice

std::int64_t now_ms() {
  return monotonic_ns() / 1'000'000;
}

std::vector<StagePlan> plans_of(const Graph& graph) {
  std::vector<StagePlan> plans;
  for (const GraphStage& stage : graph.stages)
    plans.push_back({stage.config.name, stage.config.restart, stage.upstream, stage.exec()});
  return plans;
}

MachineTimings timings_of(const Graph& graph) {
  MachineTimings timings;
  timings.drain_ms = graph.drain_timeout_ms;
  timings.stop_ms = graph.stop_timeout_ms;
  return timings;
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

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace

class Supervisor::Impl {
 public:
  Impl(Graph graph, SupervisorOptions options)
      : graph_(std::move(graph)),
        options_(std::move(options)),
        machine_(plans_of(graph_), timings_of(graph_), std::random_device{}()),
        announced_(graph_.stages.size(), RunState::pending),
        last_error_(graph_.stages.size()) {
    for (const GraphStage& stage : graph_.stages) processes_.emplace_back(stage);
    for (const GraphStream& stream : graph_.streams) stream_writer_[stream.name] = stream.writer;
  }

  PipelineReport run() {
    const std::string directory = writable_runtime_dir();
    // Its readers would join the streams of whoever writes them, and hold that up.
    for (const GraphStream& stream : graph_.streams) check_not_written(directory, stream.name);
    host_ = options_.stage_host.empty() ? find_stage_host() : options_.stage_host;
    const bool any_gst = std::any_of(graph_.stages.begin(), graph_.stages.end(),
                                     [](const GraphStage& stage) { return stage.gst; });
    if (any_gst) gst_host_ = find_gst_stage_host();
    supervise();
    sweep(directory);
    // No signal is watched any more: one ends this process, should nobody take what is left.
    output_box_.flush();
    log_box_.flush();
    return report();
  }

 private:
  void supervise() {
    SignalWatch signals;
    started_ms_ = now_ms();
    next_progress_ms_ = started_ms_ + options_.progress_ms;
    carry_out(machine_.begin(started_ms_));
    while (!machine_.done()) {
      wait(signals);
      for (const int signal : signals.take()) on_signal(signal);
      for (std::size_t i = 0; i < processes_.size(); ++i) look_at(i);
      if (duration_over()) on_duration();
      carry_out(machine_.tick(now_ms()));
      report_progress();
    }
  }

  // In the thread of log_box_.
  void print_log(std::string_view source, LogLevel level, std::string_view line) const {
    if (options_.on_log)
      options_.on_log(source, level, line);
    else
      log_as(source, level, line);
  }

  // About a stage or the pipeline, in our own words: few, and none is dropped.
  void log_line(std::string_view source, LogLevel level, std::string_view line) {
    log_box_.put_always([this, source = std::string(source), level, line = std::string(line)] {
      print_log(source, level, line);
    });
  }

  static std::string dropped_text(std::uint64_t lines, const char* what) {
    return fmt::format("{} lines of {} were dropped: they came faster than they were read", lines, what);
  }

  [[nodiscard]] const std::string& name(std::size_t stage) const { return graph_.stages[stage].config.name; }

  [[nodiscard]] StageProcess::LineSink output_sink(std::size_t stage) {
    return [this, stage](std::string_view line) {
      output_box_.put(line.size() + kLineCost, [this, stage, line = std::string(line)] {
        if (options_.on_output)
          options_.on_output(name(stage), line);
        else
          print_line(line);
      });
    };
  }

  [[nodiscard]] StageProcess::LineSink error_sink(std::size_t stage) {
    return [this, stage](std::string_view line) {
      const RelayLine parsed = parse_relay_line(line);
      if (parsed.level == LogLevel::error) last_error_[stage] = parsed.text;
      log_box_.put(line.size() + kLineCost,
                   [this, stage, level = parsed.level, text = std::string(parsed.text)] {
                     print_log(name(stage), level, text);
                   });
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
        process.start(graph_.stages[action.stage].gst ? gst_host_ : host_, current_setup(action.stage));
        machine_.on_started(action.stage, process.process().pid());
      } catch (const Error& error) {
        return machine_.on_start_failed(action.stage, error.what(), now_ms());
      }
      return {};
    }
    if (!process.has_process()) return {};
    switch (action.kind) {
      case Action::Kind::interrupt: process.process().send(SIGINT); break;
      case Action::Kind::terminate: process.process().send(SIGTERM); break;
      case Action::Kind::kill: process.process().kill_group(); break;
      case Action::Kind::give_up: process.give_up(); break;
      case Action::Kind::start: break;
    }
    return {};
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
        end_readers_of(i);
      }
      const std::string& reason = machine_.reason(i);
      const std::string text =
          reason.empty() ? std::string(to_string(state)) : fmt::format("{}: {}", to_string(state), reason);
      log_line(name(i), level_of(state), text);
    }
  }

  // Who reads them need not have met their writer, nor have heard of its end: a stage started again just now.
  void end_streams_of(std::size_t writer) {
    for (const std::size_t reader : graph_.stages[writer].downstream) {
      const std::vector<InputSetup>& inputs = graph_.stages[reader].setup.inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (stream_writer_.at(inputs[i].stream) == writer) processes_[reader].end_input(i);
      }
    }
  }

  // Nobody shall wait, before a first frame, for a reader that will not come.
  void end_readers_of(std::size_t stage) {
    for (const InputSetup& input : graph_.stages[stage].setup.inputs) {
      const std::size_t writer = stream_writer_.at(input.stream);
      const std::vector<OutputSetup>& outputs = graph_.stages[writer].setup.outputs;
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::vector<std::string>& names = outputs[i].writer.wait_for;
        const auto place = std::find(names.begin(), names.end(), input.reader.name);
        if (outputs[i].stream == input.stream && place != names.end())
          processes_[writer].end_reader(i, static_cast<std::size_t>(place - names.begin()));
      }
    }
  }

  void wait(const SignalWatch& signals) {
    std::vector<pollfd> polled{{signals.fd(), POLLIN, 0}};
    const bool output = output_box_.wants_more(), error = log_box_.wants_more();
    for (const StageProcess& process : processes_) {
      if (!process.has_process()) continue;
      // poll() passes over descriptors below 0.
      polled.push_back({output ? process.process().output_fd() : -1, POLLIN, 0});
      polled.push_back({error ? process.process().error_fd() : -1, POLLIN, 0});
    }
    const std::int64_t now = now_ms();
    std::int64_t until = now + (output && error ? kLookMs : kFullMs);
    if (const auto deadline = machine_.next_deadline_ms()) until = std::min(until, *deadline);
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, until - now)));
  }

  void look_at(std::size_t stage) {
    StageProcess& process = processes_[stage];
    const bool output = output_box_.wants_more(), error = log_box_.wants_more();
    if (output) process.read_output(output_sink(stage));
    if (error) process.read_error(error_sink(stage));
    if (process.says_running()) machine_.on_running(stage);
    if (process.has_progressed()) machine_.on_progress(stage, now_ms());
    if (!output || !error) return;  // the last words of a process are read when its end is seen
    if (const auto exit = process.poll_exit(output_sink(stage), error_sink(stage)))
      carry_out(machine_.on_exit(stage, *exit, now_ms(), last_error_[stage]));
  }

  void on_signal(int signal) {
    if (signal == SIGCHLD) return;  // every process is looked at in any case
    if (asked_ms_ && now_ms() - *asked_ms_ < kOneRequestMs) return;
    const bool again = std::exchange(asked_ms_, now_ms()).has_value();
    const bool draining = machine_.ending();  // also by itself: a stage has failed, its time is over
    log_line(kOwnName, LogLevel::info,
             again      ? "asked to end again: hurrying"
             : draining ? "draining already; once more stops at once"
                        : "draining; once more stops at once");
    if (again || !draining) carry_out(machine_.request_end(now_ms()));
  }

  [[nodiscard]] bool duration_over() const {
    return options_.duration_ms > 0 && !machine_.ending() && now_ms() - started_ms_ >= options_.duration_ms;
  }

  void on_duration() {
    log_line(kOwnName, LogLevel::info, fmt::format("draining after {} s", options_.duration_ms / 1000.0));
    carry_out(machine_.request_end(now_ms()));
  }

  void report_progress() {
    if (!options_.on_progress || options_.progress_ms <= 0 || now_ms() < next_progress_ms_) return;
    next_progress_ms_ = now_ms() + options_.progress_ms;
    if (progress_waits_.exchange(true, std::memory_order_relaxed))
      return;  // the one before was not taken yet
    log_box_.put_always([this, now = report()] {
      progress_waits_.store(false, std::memory_order_relaxed);
      options_.on_progress(now);
    });
  }

  void sweep(const std::string& directory) {
    std::vector<std::string> swept = sweep_runtime_dir(directory);
    if (!swept.empty())
      log_line(kOwnName, LogLevel::debug, fmt::format("removed what was left of {}", fmt::join(swept, ", ")));
  }

  [[nodiscard]] PipelineReport report() const {
    PipelineReport report;
    report.name = graph_.name;
    report.seconds = static_cast<double>(now_ms() - started_ms_) / 1000;
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      StageReport stage = processes_[i].report();
      stage.state = to_string(machine_.state(i));
      stage.reason = machine_.reason(i);
      stage.restarts = machine_.restarts(i);
      if (report.seconds > 0) stage.cpu_percent = 100 * stage.cpu_seconds / report.seconds;
      report.stages.push_back(std::move(stage));
    }
    if (const auto failed = machine_.first_failure()) {
      report.status = 1;
      report.failure = fmt::format("stage '{}': {}", name(*failed), machine_.reason(*failed));
    }
    return report;
  }

  const Graph graph_;  // processes_ refer to its stages
  SupervisorOptions options_;
  std::atomic<bool> progress_waits_{false};
  Outbox log_box_{[this](std::uint64_t lines) {
    print_log(kOwnName, LogLevel::warning, dropped_text(lines, "the log"));
  }};
  Outbox output_box_{[this](std::uint64_t lines) {
    log_line(kOwnName, LogLevel::warning, dropped_text(lines, "the stages' output"));
  }};
  StateMachine machine_;
  std::deque<StageProcess> processes_;
  std::map<std::string, std::size_t> stream_writer_;
  std::vector<RunState> announced_;
  std::vector<std::string> last_error_;  // that the stage's process wrote
  std::string host_, gst_host_;
  std::int64_t started_ms_ = 0, next_progress_ms_ = 0;
  std::optional<std::int64_t> asked_ms_;  // when a signal last asked for the end
};

Supervisor::Supervisor(Graph graph, SupervisorOptions options)
    : impl_(std::make_unique<Impl>(std::move(graph), std::move(options))) {}

Supervisor::~Supervisor() = default;

PipelineReport Supervisor::run() {
  return impl_->run();
}

}  // namespace reel
