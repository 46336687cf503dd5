#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include <reel/pipeline/machine.hpp>

namespace reel {
namespace {

namespace fs = std::filesystem;

bool executable(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

// As execvp() in the stage's process would find it.
bool program_found(const GraphStage& stage) {
  const std::string& program = stage.command.front();
  if (program.find('/') != std::string::npos)
    return executable(fs::path(stage.setup.base_directory) / program);
  const auto own = stage.config.environment.find("PATH");
  const char* inherited = std::getenv("PATH");
  std::string_view rest = own != stage.config.environment.end() ? std::string_view(own->second)
                          : inherited != nullptr                ? std::string_view(inherited)
                                                                : "/bin:/usr/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (executable(fs::path(stage.setup.base_directory) / rest.substr(0, end) / program)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

int machine_cpus() noexcept {
  return static_cast<int>(std::max<long>(::sysconf(_SC_NPROCESSORS_CONF), 1));
}

std::vector<Lack> missing_cpus(const Graph& graph, int cpus) {
  std::vector<Lack> lacks;
  for (const GraphStage& stage : graph.stages) {
    for (const int cpu : stage.config.cpus) {
      if (cpu < cpus) continue;
      lacks.push_back({stage.config.where,
                       fmt::format("'cpus' of stage '{}' names processor {}: this machine has {}, 0 to {}",
                                   stage.config.name, cpu, cpus, cpus - 1)});
    }
  }
  return lacks;
}

std::vector<Lack> missing_programs(const Graph& graph) {
  std::vector<Lack> lacks;
  for (const GraphStage& stage : graph.stages) {
    if (!stage.exec() || program_found(stage)) continue;
    lacks.push_back({stage.config.where, fmt::format("there is no program '{}' to run as stage '{}' here",
                                                     stage.command.front(), stage.config.name)});
  }
  return lacks;
}

}  // namespace reel
