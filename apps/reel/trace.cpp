// `reel trace`: what each process of a running pipeline does with each frame, for a trace viewer.
#include "commands.hpp"
#include "running.hpp"
#include "trace_collect.hpp"
#include "trace_events.hpp"
#include "validators.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/base/whole_file.hpp>
#include <reel/pipeline/control.hpp>

namespace {

constexpr int kLook_ms = 20;
constexpr std::int64_t kFind_ns = 250'000'000;  // between two looks for stages that were added

struct TraceOptions {
  std::string file, pipeline;
  double seconds = 5;
};

/// SIGINT and SIGTERM as something to poll: each ends the trace, which is written then.
class EndSignals {
 public:
  EndSignals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = reel::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) reel::throw_errno(errno, "cannot watch for signals");
  }
  ~EndSignals() {
    signalfd_siginfo taken{};
    while (::read(fd_.get(), &taken, sizeof taken) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  [[nodiscard]] bool came_within(int timeout_ms) const noexcept {
    pollfd polled{fd_.get(), POLLIN, 0};
    return ::poll(&polled, 1, timeout_ms) > 0;
  }

 private:
  sigset_t before_{};
  reel::UniqueFd fd_;
};

/// Why it ended before its time; empty where it did not.
std::string gather(TraceCollector& collector, const TraceOptions& options, const EndSignals& signals) {
  const std::int64_t began_ns = reel::monotonic_ns();
  const std::int64_t until_ns = began_ns + static_cast<std::int64_t>(options.seconds * 1e9);
  std::int64_t found_ns = began_ns;
  for (std::int64_t now_ns = began_ns; now_ns < until_ns; now_ns = reel::monotonic_ns()) {
    const std::int64_t left_ms = (until_ns - now_ns) / 1'000'000 + 1;
    if (signals.came_within(static_cast<int>(std::min<std::int64_t>(left_ms, kLook_ms))))
      return "ended by a signal";
    collector.look();
    if (collector.full()) return "these are as many as a trace may have";
    if (now_ns - found_ns < kFind_ns) continue;
    found_ns = now_ns;
    try {
      collector.find_stages();
    } catch (const reel::Error& error) {
      return error.code() == reel::ErrorCode::closed ? "the pipeline has ended" : error.message();
    }
  }
  return "";
}

void write(const std::string& file, const std::string& text) {
  if (file != "-")
    reel::write_whole_file(file, std::as_bytes(std::span(text)), "FILE");
  else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    reel::throw_errno(errno, "cannot write the output");
}

void trace(const TraceOptions& options) {
  if (options.file != "-") reel::check_whole_file(options.file, "FILE");
  const std::string name = choose_pipeline(options.pipeline);
  Traces traces;
  std::string why;
  std::optional<EndSignals> signals(std::in_place);  // a further one leaves no half file
  {
    reel::PipelineControl pipeline(name);
    TraceCollector collector(pipeline, name);
    why = gather(collector, options, *signals);
    traces = collector.finish();
  }
  if (options.file == "-") signals.reset();  // whoever reads it may not
  write(options.file, trace_json(traces));
  const double seconds = static_cast<double>(traces.ended_ns - traces.began_ns) / 1e9;
  const std::string lost =
      traces.lost() == 0
          ? ""
          : fmt::format(", {} more were lost: they came faster than they were taken", traces.lost());
  fmt::print(options.file == "-" ? stderr : stdout, "{}: {:.1f} s of {}, {} spans of {} stages{}{}\n",
             options.file == "-" ? "reel" : options.file, seconds, name, traces.spans(), traces.stages.size(),
             lost, why.empty() ? "" : "; " + why);
}

}  // namespace

void add_trace(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command = app.add_subcommand(
      "trace", "Write what each stage does with each frame, for chrome://tracing or ui.perfetto.dev");
  command
      ->add_option("FILE", options->file, "where to write it (.json), replaced when it is there; - prints it")
      ->required();
  add_pipeline_argument(*command, options->pipeline);
  command->add_option("--seconds", options->seconds, "how long; Ctrl-C ends it before, and it is written")
      ->check(seconds(0.1, 3600))
      ->capture_default_str();
  command->footer(
      "Spans of every stage (wait, process or produce, publish, and waits for slots), arrows from each "
      "frame's publish to "
      "whoever processes it, and how far each input is behind, in Trace Event Format. Programs (exec) and "
      "GStreamer lines "
      "(gst) are listed without spans.\nStages pay for it while it runs, and nothing otherwise. Several may "
      "run at a time.\n"
      "Example: reel trace trace.json --seconds 2");
  command->callback([options] { trace(*options); });
}
