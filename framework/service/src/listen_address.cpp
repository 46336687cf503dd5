#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <reel/base/error.hpp>
#include <reel/service/listen_address.hpp>

namespace reel {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw Error(
      ErrorCode::bad_config,
      fmt::format("'{}' is no address to listen at: 127.0.0.1:9477, [::1]:9477, 0.0.0.0:9477 or a port "
                  "alone are some; port 0 is any free one",
                  text));
}

bool is_v6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_v4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

}  // namespace

bool ListenAddress::loopback() const {
  return host == "::1" || (is_v4(host) && host.starts_with("127."));
}

std::string ListenAddress::text() const {
  return is_v6(host) ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

ListenAddress listen_address_from(std::string_view text) {
  ListenAddress address;
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
    if (address.host.find('\0') != std::string::npos ||
        !(bracketed ? is_v6(address.host) : is_v4(address.host)))
      refuse(text);
  }
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || failed != std::errc() || end != port.data() + port.size()) refuse(text);
  return address;
}

}  // namespace reel
