#include <cstdlib>

#include <reel_test/virtual_screen.hpp>

namespace reel_test {

// The server picks the number and writes it to its standard output.
VirtualScreen::VirtualScreen(int width, int height)
    : server_(ChildProcess::program(
          "Xvfb", {"-displayfd", "1", "-screen", "0",
                   std::to_string(width) + "x" + std::to_string(height) + "x24", "-nolisten", "tcp"})) {
  if (const auto number = server_.read_line()) name_ = ":" + *number;
}

bool VirtualScreen::write_png(const std::string& path) const {
  const std::string command = "xwd -root -silent -display " + name_ + " | convert xwd:- 'png:" + path + "'";
  return std::system(command.c_str()) == 0;
}

}  // namespace reel_test
