// What is said between a running pipeline and its tools, as lines of JSON, and back. CONTROL.md lists them.
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <reel/base/error.hpp>
#include <reel/pipeline/control.hpp>

namespace reel {

struct ControlRequest {
  std::string ask;                          // "status", "stop", "restart", "apply", "logs", "trace"
  std::string stage = {};                   // restart
  std::string file = {};                    // apply: an absolute path
  std::vector<std::string> overrides = {};  // apply
  std::size_t lines = 0;                    // logs
  bool follow = false;                      // logs
};
[[nodiscard]] std::string to_line(const ControlRequest& request);
/// Throws Error{protocol}, {version}.
[[nodiscard]] ControlRequest request_from(std::string_view line);

/// What a pipeline says: one line of its log, or one page of a stage (the descriptor goes beside the line),
/// which more may follow, or the end of its answer.
struct ControlAnswer {
  std::optional<LogLine> log;
  std::optional<Error> error;
  std::optional<PipelineStatus> status;
  std::vector<std::string> lines;  // apply: what was done
  std::optional<TracedStage> page = {};
};
[[nodiscard]] std::string to_line(const ControlAnswer& answer);
/// Throws Error{protocol}.
[[nodiscard]] ControlAnswer answer_from(std::string_view line);

}  // namespace reel
