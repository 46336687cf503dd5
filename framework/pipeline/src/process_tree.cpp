#include "process_tree.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace reel {
namespace {

constexpr std::size_t kMostProcesses = 1000;  // of one stage: one that forks without end is not followed

// Fields 14 to 17 of /proc/PID/stat, counted behind the program's name, which may hold anything.
double cpu_seconds_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double ticks = 0;
  for (int field = 14; field <= 17; ++field) {
    double value = 0;
    fields >> value;
    ticks += value;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t own_bytes_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("RssAnon:")) continue;
    std::istringstream fields(line.substr(line.find(':') + 1));
    std::uint64_t kilobytes = 0;
    fields >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

void add_children(pid_t pid, std::vector<pid_t>& tree) {
  std::error_code failed;
  for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), failed)) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child = 0; children >> child && tree.size() < kMostProcesses;) tree.push_back(child);
  }
}

}  // namespace

ProcessUse use_of_tree(pid_t root) {
  ProcessUse use;
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const pid_t pid = tree[i];
    use.cpu_seconds += cpu_seconds_of(pid);
    use.own_bytes += own_bytes_of(pid);
    add_children(pid, tree);
  }
  return use;
}

}  // namespace reel
