// Where the lines of a running pipeline go: those that its stages write and those about them, handed on in
// threads of its own, so that whoever takes them slowly holds nobody up. Single-thread: the supervisor's.
#pragma once

#include "outbox.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <reel/base/log.hpp>
#include <reel/pipeline/control.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace reel {

class LineOutlet {
 public:
  /// `options`: on_log and on_output alone. `keep` gets every line of the log too, in the caller's thread:
  /// for the tools that ask for it.
  LineOutlet(const SupervisorOptions& options, std::function<void(LogLine line)> keep);

  /// About a stage or the pipeline, in our own words: few, and none is dropped.
  void log(std::string_view source, LogLevel level, std::string_view line);
  /// A line of a stage's own log; dropped where too many wait.
  void relay(const std::string& stage, LogLevel level, std::string_view line);
  /// A line that a stage wrote on its standard output; dropped likewise.
  void result(const std::string& stage, std::string_view line);
  /// Made in its turn among the lines of the log.
  void call(Outbox::Call call) { log_box_.put_always(std::move(call)); }

  /// False while it is better to wait with more (Outbox).
  [[nodiscard]] bool wants_log() const { return log_box_.wants_more(); }
  [[nodiscard]] bool wants_results() const { return result_box_.wants_more(); }
  /// Logs how many results were dropped since the last call, if any.
  void tell_of_dropped();
  /// Returns when everything was taken.
  void flush();

 private:
  void print(std::string_view source, LogLevel level, std::string_view line) const;
  void keep(std::string_view source, LogLevel level, std::string_view line) const;

  const std::function<void(std::string_view, LogLevel, std::string_view)> on_log_;
  const std::function<void(std::string_view, std::string_view)> on_output_;
  const std::function<void(LogLine)> keep_;
  std::atomic<std::uint64_t> dropped_results_{0};
  Outbox log_box_, result_box_;  // last: their threads use all of the above
};

}  // namespace reel
