// Stands where systemd listens for sd_notify: a real datagram socket. Single-thread.
#pragma once

#include <string>
#include <vector>

#include <reel/base/unique_fd.hpp>

namespace reel_test {

class NotifySocket {
 public:
  /// At `address`: a path, or an abstract one that begins with @, as NOTIFY_SOCKET has it.
  explicit NotifySocket(const std::string& address);

  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  /// Takes what has come. All lines so far, in order.
  const std::vector<std::string>& lines();
  /// Waits until a line that begins so has come, and gives the first such; empty when the watchdog passed.
  [[nodiscard]] std::string wait_for(const std::string& start);
  /// How many lines begin so.
  [[nodiscard]] std::size_t count(const std::string& start);
  void forget() { lines_.clear(); }

 private:
  std::string address_;
  reel::UniqueFd socket_;
  std::vector<std::string> lines_;
};

}  // namespace reel_test
