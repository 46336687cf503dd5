#include "line_outlet.hpp"

#include <cstddef>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include <reel/base/clock.hpp>

namespace reel {
namespace {

constexpr std::string_view kOwnName = "reel";
constexpr std::size_t kLineCost = 100;  // bytes of a line that waits to be printed, besides its text

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

std::string dropped_text(std::uint64_t lines, const char* what) {
  return fmt::format("{} lines of {} were dropped: they came faster than they were read", lines, what);
}

}  // namespace

LineOutlet::LineOutlet(const SupervisorOptions& options, std::function<void(LogLine line)> keep)
    : on_log_(options.on_log),
      on_output_(options.on_output),
      keep_(std::move(keep)),
      log_box_([this](std::uint64_t lines) {
        print(kOwnName, LogLevel::warning, dropped_text(lines, "the log"));
      }),
      // relaxed: a number alone. Not logged from here: that is the supervisor's thread alone to do.
      result_box_(
          [this](std::uint64_t lines) { dropped_results_.fetch_add(lines, std::memory_order_relaxed); }) {}

// In the thread of log_box_.
void LineOutlet::print(std::string_view source, LogLevel level, std::string_view line) const {
  if (on_log_)
    on_log_(source, level, line);
  else
    log_as(source, level, line);
}

void LineOutlet::keep(std::string_view source, LogLevel level, std::string_view line) const {
  keep_({realtime_ns(), std::string(source), level, std::string(line)});
}

void LineOutlet::log(std::string_view source, LogLevel level, std::string_view line) {
  keep(source, level, line);
  log_box_.put_always(
      [this, source = std::string(source), level, line = std::string(line)] { print(source, level, line); });
}

void LineOutlet::relay(const std::string& stage, LogLevel level, std::string_view line) {
  keep(stage, level, line);
  log_box_.put(line.size() + stage.size() + kLineCost,
               [this, stage, level, line = std::string(line)] { print(stage, level, line); });
}

void LineOutlet::result(const std::string& stage, std::string_view line) {
  result_box_.put(line.size() + stage.size() + kLineCost, [this, stage, line = std::string(line)] {
    if (on_output_)
      on_output_(stage, line);
    else
      print_line(line);
  });
}

void LineOutlet::tell_of_dropped() {
  const std::uint64_t lines = dropped_results_.exchange(0, std::memory_order_relaxed);
  if (lines != 0) log(kOwnName, LogLevel::warning, dropped_text(lines, "the stages' output"));
}

void LineOutlet::flush() {
  result_box_.flush();
  tell_of_dropped();
  log_box_.flush();
}

}  // namespace reel
