#include "run_reel.hpp"

#include <reel_test/child_process.hpp>

namespace reel_test {

ReelRun run_reel(const std::vector<std::string>& arguments) {
  ChildProcess child = ChildProcess::program(REEL_COMMAND, arguments);
  const ExitStatus status = child.wait();
  return {status.code, child.output(), child.errors()};
}

}  // namespace reel_test
