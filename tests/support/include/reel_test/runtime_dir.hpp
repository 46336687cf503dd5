// A private runtime directory for one test. Make it before the first stream of the test and before child
// processes are started.
#pragma once

#include <string>
#include <vector>

namespace reel_test {

/// While it lives, REEL_RUNTIME_DIR names a fresh directory (mode 0700) and no other runtime directory is
/// looked at. On destruction the test fails if anything is left in it; the directory is removed and the
/// environment put back.
class TempRuntimeDir {
 public:
  TempRuntimeDir();
  ~TempRuntimeDir();
  TempRuntimeDir(const TempRuntimeDir&) = delete;
  TempRuntimeDir& operator=(const TempRuntimeDir&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Names of the files in it, sorted.
  [[nodiscard]] std::vector<std::string> entries() const;
  /// For tests that kill a writer and let nobody take over: what it left is no failure.
  void allow_leftovers() noexcept { leftovers_allowed_ = true; }

 private:
  std::string path_;
  std::string before_;
  bool was_set_ = false;
  bool leftovers_allowed_ = false;
};

/// A name that no other test, process or run uses: "<stem>-<pid>-<counter>".
[[nodiscard]] std::string unique_name(const std::string& stem);

}  // namespace reel_test
