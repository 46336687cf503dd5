#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <reel/base/log.hpp>
#include <reel/service/notify.hpp>

namespace reel {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number <= 0)
    return std::nullopt;
  return number;
}

// The watchdog is of one process; a variable that was inherited is another's.
std::optional<std::int64_t> watchdog_of_environment() {
  const auto limit_us = number_of(variable("WATCHDOG_USEC"));
  const std::string_view whose = variable("WATCHDOG_PID");
  if (!limit_us || (!whose.empty() && number_of(whose) != std::int64_t{::getpid()})) return std::nullopt;
  return std::max<std::int64_t>(*limit_us / 2000, 1);
}

// A line each: a text that has several would say things of its own.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

}  // namespace

ServiceNotifier::ServiceNotifier() : address_(variable("NOTIFY_SOCKET")) {
  if (address_.empty()) return;
  sockaddr_un place{};
  if ((address_.front() != '/' && address_.front() != '@') || address_.size() < 2 ||
      address_.size() >= sizeof place.sun_path) {
    log_warning(
        fmt::format("NOTIFY_SOCKET is \"{}\": neither a path nor an abstract socket of at most {} bytes; "
                    "systemd is told nothing",
                    address_, sizeof place.sun_path - 1));
    return;
  }
  if (address_.front() == '@') address_.front() = '\0';
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_) {
    log_warning("no socket for what systemd is told: it hears nothing");
    return;
  }
  watchdog_ms_ = watchdog_of_environment();
}

bool ServiceNotifier::tell(std::string_view lines) noexcept {
  if (!socket_) return true;
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::memcpy(place.sun_path, address_.data(), address_.size());
  // The length is of the name alone: an abstract one ends with its last byte.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const ssize_t sent = ::sendto(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&place), size);
  return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

void ServiceNotifier::tell_status(const std::string& text) {
  if (!socket_ || text == status_) return;
  if (tell("STATUS=" + one_line(text))) status_ = text;
}

}  // namespace reel
