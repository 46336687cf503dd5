#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>
#include <reel_test/runtime_dir.hpp>
#include <unistd.h>

namespace reel_test {

namespace {

namespace fs = std::filesystem;
constexpr const char* kVariable = "REEL_RUNTIME_DIR";

}  // namespace

TempRuntimeDir::TempRuntimeDir() : path_(fs::temp_directory_path() / "reel-test-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  if (const char* value = std::getenv(kVariable)) {
    before_ = value;
    was_set_ = true;
  }
  ::setenv(kVariable, path_.c_str(), 1);
}

TempRuntimeDir::~TempRuntimeDir() {
  if (!leftovers_allowed_) {
    EXPECT_THAT(entries(), ::testing::IsEmpty()) << "left in the runtime directory";
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (was_set_) {
    ::setenv(kVariable, before_.c_str(), 1);
  } else {
    ::unsetenv(kVariable);
  }
}

std::vector<std::string> TempRuntimeDir::entries() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string unique_name(const std::string& stem) {
  static std::atomic<unsigned> counter{0};
  return stem + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(counter.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace reel_test
