#include "events/event_address.hpp"

#include <charconv>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace record {
namespace {

constexpr std::size_t kShortestToken = 16;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw reel::Error(
      reel::ErrorCode::bad_config,
      fmt::format("http: \"{}\": {}. It is ADDRESS:PORT, such as 127.0.0.1:9480 or [::1]:9480 (port "
                  "0: any free one)",
                  text, why));
}

// "[::1]" or "::1" as it is without brackets.
std::string_view unbracketed(std::string_view host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

HttpAddress http_address_from(std::string_view text, std::string_view token) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) refuse(text, "there is no port");
  const std::string_view port = text.substr(colon + 1);
  HttpAddress result;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || port.empty())
    refuse(text, fmt::format("\"{}\" is no port from 0 to 65535", port));
  result.address = unbracketed(text.substr(0, colon));
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(result.address, failed);
  if (failed) refuse(text, fmt::format("\"{}\" is no IP address", result.address));
  if (!token.empty() && token.size() < kShortestToken)
    throw reel::Error(
        reel::ErrorCode::bad_config,
        fmt::format("http_token has {} characters: a secret has {} or more", token.size(), kShortestToken));
  if (!address.is_loopback() && token.empty())
    refuse(text,
           "other machines reach that address: give them a secret to name themselves by (http_token), or use "
           "127.0.0.1");
  return result;
}

bool host_is_own(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  if (host == "localhost") return true;
  boost::system::error_code failed;
  (void)boost::asio::ip::make_address(std::string(unbracketed(host)), failed);
  return !failed;
}

bool bears(std::string_view authorization, std::string_view token) noexcept {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return false;
  authorization.remove_prefix(kScheme.size());
  if (authorization.size() != token.size()) return false;
  unsigned differs = 0;
  for (std::size_t i = 0; i < token.size(); ++i)
    differs |= static_cast<unsigned char>(authorization[i]) ^ static_cast<unsigned char>(token[i]);
  return differs == 0;
}

std::string event_socket_file(std::string_view recording) {
  return std::string(recording) + ".recording";
}

}  // namespace record
