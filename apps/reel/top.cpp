// `reel top`: what running pipelines do, again and again.
#include "commands.hpp"
#include "running.hpp"
#include "samples.hpp"
#include "screen.hpp"
#include "top_table.hpp"
#include "validators.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/observer.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/pipeline/control.hpp>

namespace {

constexpr int kObserve_ms = 500;

struct TopOptions {
  std::string pipeline;
  double interval_s = 1;
  std::uint64_t count = 0;
  std::string sort = "file";
};

HeldSlots held_slots(const reel::PipelineStatus& status) {
  HeldSlots held;
  for (const reel::StreamEdges& stream : status.streams) {
    try {
      for (const reel::ReaderStatus& reader :
           reel::StreamObserver(stream.stream, kObserve_ms).status().readers)
        held[{stream.stream, static_cast<std::uint32_t>(reader.pid)}] = {reader.pinned, reader.max_pins};
    } catch (const reel::Error&) {
      // Not there yet, or no more: nobody holds slots of it.
    }
  }
  return held;
}

// Every running pipeline, or the one that was asked for; those that have ended are left out.
class Watch {
 public:
  explicit Watch(const TopOptions& options)
      : name_(options.pipeline), order_(*top_order_from(options.sort)) {}

  /// nullopt once there is nothing to see any more.
  [[nodiscard]] std::optional<std::vector<std::string>> look() {
    std::vector<std::string> lines;
    for (const std::string& name : name_.empty() ? reel::list_pipelines() : std::vector<std::string>{name_}) {
      try {
        PipelineSample sample{before_[name], reel::PipelineControl(name).status()};
        // Of another run of that name nothing is known.
        if (sample.before.pid != sample.now.pid) sample.before = {};
        before_[name] = sample.now;
        if (!lines.empty()) lines.emplace_back();
        for (std::string& line : top_lines(sample, held_slots(sample.now), order_))
          lines.push_back(std::move(line));
      } catch (const reel::Error& error) {
        const bool gone =
            error.code() == reel::ErrorCode::not_found || error.code() == reel::ErrorCode::closed;
        if (!gone || (seen_ == 0 && !name_.empty())) throw;
      }
    }
    if (lines.empty()) return std::nullopt;
    ++seen_;
    return lines;
  }

  void next_order() {
    order_ = static_cast<TopOrder>((static_cast<std::size_t>(order_) + 1) % top_order_names().size());
  }
  [[nodiscard]] std::string order_text() const { return std::string(to_string(order_)); }

 private:
  std::string name_;
  TopOrder order_;
  std::map<std::string, reel::PipelineStatus> before_;
  std::uint64_t seen_ = 0;
};

[[noreturn]] void throw_nothing() {
  throw reel::Error(
      reel::ErrorCode::not_found,
      fmt::format("no pipeline runs (looked {}): start one with `reel run FILE`", reel::where_looked()));
}

void print_all(Watch& watch, const TopOptions& options) {
  const auto pause = std::chrono::duration<double>(options.interval_s);
  auto lines = watch.look();  // rates are those since the look before: the first has none
  if (!lines) throw_nothing();
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count; ++shown) {
    std::this_thread::sleep_for(pause);
    lines = watch.look();
    if (!lines) return;
    for (const std::string& line : *lines) fmt::print("{}\n", line);
    fmt::print("\n");
    if (std::fflush(stdout) != 0) return;
  }
}

void show_all(Watch& watch, const TopOptions& options) {
  auto lines = watch.look();
  if (!lines) throw_nothing();
  Screen screen;
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    screen.show(*lines, fmt::format("q: quit  s: sort by the next  arrows: beyond the edges  sorted by {}",
                                    watch.order_text()));
    const int key = screen.wait_for_key(static_cast<int>(options.interval_s * 1000));
    if (key == 'q') return;
    if (key == 's') watch.next_order();
    if (key == 0) ++shown;
    lines = watch.look();
    if (!lines) return;
  }
}

void top(const TopOptions& options) {
  Watch watch(options);
  if (::isatty(STDOUT_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1)
    show_all(watch, options);
  else
    print_all(watch, options);
}

}  // namespace

void add_top(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command =
      app.add_subcommand("top", "Watch running pipelines: rates, latencies, losses, processors, memory");
  command->add_option("PIPELINE", options->pipeline, "one of them; all where it is left out");
  command->add_option("--interval", options->interval_s, "seconds between two looks")
      ->check(seconds(0.1, 3600))
      ->capture_default_str();
  command->add_option("--count", options->count, "end after so many looks; 0: when they have ended")
      ->capture_default_str();
  command->add_option("--sort", options->sort, "order of the stages: " + reel::join_or(top_order_names()))
      ->check(CLI::IsMember(top_order_names()))
      ->capture_default_str();
  command->footer(
      "On a terminal the table is shown in place: s sorts by the next column, arrow keys show what does not "
      "fit, q quits. Elsewhere each is printed.\n"
      "FPS and MB/S are those since the look before, latencies of the whole run: HOP from the stage before, "
      "END TO END "
      "from the capture.\nMEMORY is a stage's own, without rings. LOST: skipped by its policy, or "
      "overwritten before it "
      "was read.\nExample: reel top --sort cpu");
  command->callback([options] { top(*options); });
}
