// A client of EventServer that sends what it is told, right or wrong. Single-thread.
#pragma once

#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

class HttpClient {
 public:
  [[nodiscard]] static HttpClient tcp(const std::string& url);
  [[nodiscard]] static HttpClient local(const std::string& path);
  /// Leaves the file of a socket at which nobody listens.
  static void leave_socket(const std::string& path);

  void send(const std::string& bytes);
  /// All until the other side closes, under the watchdog.
  [[nodiscard]] std::string rest();
  [[nodiscard]] std::string ask(const std::string& request) {
    send(request);
    return rest();
  }

 private:
  explicit HttpClient(reel::UniqueFd socket) : socket_(std::move(socket)) {}
  reel::UniqueFd socket_;
};

}  // namespace record
