#include <array>
#include <cerrno>
#include <cstdlib>

#include <arpa/inet.h>
#include <poll.h>
#include <reel_test/page_client.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace reel_test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

PageClient::PageClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

PageClient::PageClient(std::uint16_t port) : PageClient() {
  connect(port);
}

void PageClient::connect(std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void PageClient::send(std::string_view text) const {
  (void)!::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

bool PageClient::has_something() const noexcept {
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

bool PageClient::is_let_go() const noexcept {
  char byte = 0;
  const ssize_t bytes = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

bool PageClient::read_some() {
  std::array<char, 65536> piece;
  pollfd wait{socket_.get(), POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(kWatchdog.count())) <= 0) return false;
  const ssize_t bytes = ::recv(socket_.get(), piece.data(), piece.size(), 0);
  at_end_ = bytes <= 0;
  if (bytes > 0) received_.append(piece.data(), static_cast<std::size_t>(bytes));
  return !at_end_;
}

const std::string& PageClient::read_until(std::string_view text) {
  while ((text.empty() || received_.find(text) == std::string::npos) && read_some()) {
  }
  return received_;
}

Answer ask(std::uint16_t port, const std::string& request) {
  PageClient client(port);
  client.send(request);
  const std::string& all = client.read_all();
  Answer answer;
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = all.substr(0, end);
  answer.body = all.substr(end + 4);
  answer.status = std::atoi(all.c_str() + all.find(' '));
  return answer;
}

Answer get(std::uint16_t port, const std::string& target) {
  return ask(port, "GET " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port) +
                       "\r\nConnection: close\r\n\r\n");
}

TakenPort::TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(socket_.get(), 1) != 0 ||
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return;
  number_ = ntohs(address.sin_port);
}

std::uint16_t free_port() {
  return TakenPort().number();
}

}  // namespace reel_test
