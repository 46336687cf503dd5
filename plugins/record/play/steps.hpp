// Frames one by one: a named pipe on which each line lets one out. Single-thread.
#pragma once

#include <cstdint>
#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

class Steps {
 public:
  /// Throws Error{bad_config} unless there is a named pipe (mkfifo) at `path`.
  explicit Steps(const std::string& path);

  /// Waits up to so long for a line where none is left. True with one, which is used up.
  [[nodiscard]] bool take(int wait_ms);

 private:
  reel::UniqueFd pipe_;
  std::uint64_t lines_ = 0;  // that came and were not used
};

}  // namespace record
