#include <cstdlib>
#include <sstream>

#include <reel_test/needs.hpp>
#include <unistd.h>

namespace reel_test {

namespace {

bool in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace

bool all_tests_required() {
  return std::getenv("REEL_REQUIRE_ALL_TESTS") != nullptr;
}

std::string missing_programs(std::initializer_list<const char*> programs) {
  std::string missing;
  for (const char* program : programs)
    if (!in_path(program)) missing += (missing.empty() ? "" : ", ") + std::string(program);
  return missing.empty() ? missing : "not in PATH: " + missing + " (apps/install-packages test installs it)";
}

}  // namespace reel_test
