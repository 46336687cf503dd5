// An X server of a test's own, without a screen to look at: Xvfb, with xwd and ImageMagick for pictures of
// it. Single-thread.
#pragma once

#include <csignal>
#include <initializer_list>
#include <string>

#include <reel_test/child_process.hpp>

namespace reel_test {

class VirtualScreen {
 public:
  /// The programs it needs, for missing_programs().
  static constexpr std::initializer_list<const char*> kPrograms{"Xvfb", "xwd", "convert"};

  /// Starts a server on a display number that was free.
  VirtualScreen(int width, int height);

  /// For $DISPLAY; empty when the server did not start.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Writes what is on it to a PNG file; false when that failed.
  [[nodiscard]] bool write_png(const std::string& path) const;
  /// Kills the server.
  void end() { server_.signal(SIGKILL); }

 private:
  ChildProcess server_;
  std::string name_;
};

}  // namespace reel_test
