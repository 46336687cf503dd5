#include "programs.hpp"

#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace {

bool executable(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return executable(name) ? name : std::string();
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/bin:/usr/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string found = (directory.empty() ? "." : directory) + "/" + name;
    if (executable(found)) return found;
  }
  return {};
}

std::filesystem::path in_tree(const char* path) {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (program.parent_path() / path).lexically_normal();
}
