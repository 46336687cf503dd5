// Which stages are at work on one frame for too long. Remembers whom it has told of; single-thread, the
// supervisor's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/log.hpp>

namespace reel {

class HangWatch {
 public:
  struct Finding {
    LogLevel level;
    std::string text;
    bool kill;  // the pipeline file wants that
  };
  /// `busy_ms`: of the stage's present call; `limit_ms`: its hang_timeout, 0 where it has none. Something is
  /// found once in a call.
  [[nodiscard]] std::optional<Finding> look(std::size_t stage, std::int64_t busy_ms, int limit_ms);

 private:
  std::vector<bool> told_;
};

}  // namespace reel
