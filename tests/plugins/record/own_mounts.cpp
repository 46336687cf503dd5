#include "own_mounts.hpp"

#include <csignal>
#include <cstdlib>

#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

// $1 reel, $2 the pipeline, $3 the directory, $4 what to do before.
constexpr const char* kShell = R"(
cd "$3" && eval "$4" || exit 9
"$1" run "$2" </dev/null &
echo $!
while read -r line; do
  case $line in
    end) kill -INT $!; wait $!; echo ended $?; exit ;;
    wait) wait $!; echo ended $?; exit ;;
    *) eval "$line"; echo did $? ;;
  esac
done
)";

}  // namespace

OwnMounts::OwnMounts(const std::string& setup, const std::string& pipeline)
    : shell_(ChildProcess::program(
          "unshare", {"--map-root-user", "--mount", "--propagation", "unchanged", "sh", "-c", kShell, "sh",
                      reel_command(), scratch_.write("pipeline.yaml", pipeline), scratch_.path(), setup})) {
  reel_ = std::atoi(shell_.read_line().value_or("0").c_str());
}

OwnMounts::~OwnMounts() {
  if (reel_ > 1) ::kill(reel_, SIGKILL);
}

bool OwnMounts::wait_for_log(const std::string& text) const {
  return wait_until([&] { return log().find(text) != std::string::npos; });
}

std::string OwnMounts::seen(const std::string& path) const {
  return "/proc/" + std::to_string(shell_.pid()) + "/root" + scratch_.file(path);
}

bool OwnMounts::run(const std::string& command) {
  return shell_.send(command) && shell_.wait_for_line("did ") == "did 0";
}

int OwnMounts::end() {
  return ended("end");
}

int OwnMounts::wait() {
  return ended("wait");
}

int OwnMounts::ended(const std::string& order) {
  if (!shell_.send(order)) return -1;
  const std::string line = shell_.wait_for_line("ended ");
  if (line.empty()) return -1;
  reel_ = 0;
  return std::atoi(line.c_str() + 6);
}

}  // namespace reel_test
