// A directory for one test's files, gone with it.
#pragma once

#include <string>

namespace reel_test {

class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The path of a file there, which need not exist.
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file there, and the folders it is in; returns its path.
  std::string write(const std::string& name, const std::string& text) const;
  /// What a file there holds; empty when it is not there.
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::string path_;
};

/// What a file holds; empty when it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace reel_test
