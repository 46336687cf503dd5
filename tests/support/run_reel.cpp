#include <reel_test/run_reel.hpp>

#include <reel_test/child_process.hpp>

namespace reel_test {

std::string reel_command() {
  return REEL_COMMAND;
}

ReelRun run_reel(const std::vector<std::string>& arguments) {
  ChildProcess child = ChildProcess::program(reel_command(), arguments);
  const ExitStatus status = child.wait();
  return {status.code, child.output(), child.errors()};
}

}  // namespace reel_test
