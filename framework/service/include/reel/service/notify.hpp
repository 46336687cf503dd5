// What a service tells systemd (sd_notify(3)): lines in a datagram to $NOTIFY_SOCKET. Nothing is told, and
// nothing fails, where there is none. Single-thread; never waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <reel/base/unique_fd.hpp>

namespace reel {

class ServiceNotifier {
 public:
  /// Of this process's environment: NOTIFY_SOCKET (a path, or an abstract one that begins with @),
  /// WATCHDOG_USEC and WATCHDOG_PID. An address that is none is told of in the log, once.
  ServiceNotifier();
  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  [[nodiscard]] bool listened_to() const noexcept { return static_cast<bool>(socket_); }
  /// "READY=1", or several lines. False where systemd has no time for it now: to be told again. What nobody
  /// takes otherwise is lost.
  [[nodiscard]] bool tell(std::string_view lines) noexcept;
  /// "STATUS=" and the text, where it is another one than the last time.
  void tell_status(const std::string& text);
  /// Between two signs of life, in milliseconds: half of what systemd waits. Nothing where it waits for none.
  [[nodiscard]] std::optional<std::int64_t> watchdog_ms() const noexcept { return watchdog_ms_; }

 private:
  UniqueFd socket_;
  std::string address_;  // as sockaddr_un has it: an abstract one begins with a zero
  std::string status_;
  std::optional<std::int64_t> watchdog_ms_;
};

}  // namespace reel
