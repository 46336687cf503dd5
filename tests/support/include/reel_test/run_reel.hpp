// Runs the `reel` command to its end and keeps what it said.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace reel_test {

struct ReelRun {
  int status = -1;  // its exit status; -1 when it did not exit by itself
  std::string output, errors;

  /// REQUIRES: `--json` was among the arguments. A test that gets no JSON fails here.
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(output); }
};

/// Where this build's `reel` is.
[[nodiscard]] std::string reel_command();
[[nodiscard]] ReelRun run_reel(const std::vector<std::string>& arguments);

}  // namespace reel_test
