// GoogleTest's main, and the roles of ChildProcess::role().
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <unistd.h>

namespace reel_test {

namespace {

std::map<std::string, Role::Body>& roles() {
  static std::map<std::string, Role::Body> all;
  return all;
}

int run_role(const std::string& name, const std::vector<std::string>& arguments) {
  const auto role = roles().find(name);
  if (role == roles().end()) {
    std::cerr << "no role '" << name << "' in this test program\n";
    return 126;
  }
  try {
    return role->second(arguments);
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 125;
  }
}

}  // namespace

Role::Role(const char* name, Body body) {
  roles()[name] = body;
}

void say(std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
}

std::optional<std::string> hear() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

}  // namespace reel_test

int main(int argc, char** argv) {
  if (argc >= 3 && std::string_view(argv[1]) == "--role") {
    return reel_test::run_role(argv[2], {argv + 3, argv + argc});
  }
  // Of the service that runs these tests, perhaps: not of what they start.
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(variable);
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
