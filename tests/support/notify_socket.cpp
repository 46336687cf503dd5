#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include <reel_test/notify_socket.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace reel_test {

NotifySocket::NotifySocket(const std::string& address)
    : address_(address), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  if (address.size() >= sizeof place.sun_path) throw std::runtime_error("too long for a socket: " + address);
  std::memcpy(place.sun_path, address.data(), address.size());
  const bool abstract = address.front() == '@';
  if (abstract) place.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1));
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&place), size) != 0)
    throw std::runtime_error("cannot listen at " + address);
}

const std::vector<std::string>& NotifySocket::lines() {
  std::array<char, 8192> datagram;
  ssize_t bytes = 0;
  while ((bytes = ::recv(socket_.get(), datagram.data(), datagram.size(), 0)) >= 0) {
    std::istringstream text(std::string(datagram.data(), static_cast<std::size_t>(bytes)));
    for (std::string line; std::getline(text, line);) lines_.push_back(line);
  }
  return lines_;
}

std::string NotifySocket::wait_for(const std::string& start) {
  std::string found;
  (void)wait_until([&] {
    for (const std::string& line : lines())
      if (found.empty() && line.starts_with(start)) found = line;
    return !found.empty();
  });
  return found;
}

std::size_t NotifySocket::count(const std::string& start) {
  const auto& all = lines();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const std::string& line) { return line.starts_with(start); }));
}

}  // namespace reel_test
