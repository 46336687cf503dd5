// Python's http.server on a directory, on loopback. Single-thread.
#pragma once

#include <csignal>
#include <string>

#include <reel_test/child_process.hpp>

namespace capture_test {

class FileServer {
 public:
  explicit FileServer(const std::string& directory)
      : process_(reel_test::ChildProcess::program(
            "/usr/bin/python3",
            {"-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", directory})) {
    const std::string line = process_.wait_for_line("Serving HTTP");
    const std::size_t begin = line.find("http://");
    if (begin != std::string::npos) root_ = line.substr(begin, line.find('/', begin + 7) - begin);
  }

  /// Of a file of the directory; empty root when the server did not start.
  [[nodiscard]] std::string uri(const std::string& name) const { return root_ + "/" + name; }
  void stop() { process_.signal(SIGKILL); }

 private:
  reel_test::ChildProcess process_;
  std::string root_;
};

}  // namespace capture_test
