#include "events/event_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <boost/asio/ip/address.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/unique_fd.hpp>

namespace record {
namespace {

constexpr std::size_t kShortestToken = 16, kLongestToken = 1024;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw reel::Error(
      reel::ErrorCode::bad_config,
      fmt::format("http: \"{}\": {}. It is ADDRESS:PORT, such as 127.0.0.1:9480 or [::1]:9480 (port "
                  "0: any free one)",
                  text, why));
}

[[noreturn]] void refuse_file(const std::string& path, const std::string& why) {
  throw reel::Error(reel::ErrorCode::bad_config, fmt::format("http_token_file \"{}\": {}", path, why));
}

void check_token(std::string_view token) {
  const auto plain = [](char c) { return c > ' ' && c <= '~'; };
  if (token.size() < kShortestToken || token.size() > kLongestToken)
    throw reel::Error(reel::ErrorCode::bad_config,
                      fmt::format("http_token has {} characters: a secret has {} or more, {} at most",
                                  token.size(), kShortestToken, kLongestToken));
  if (!std::all_of(token.begin(), token.end(), plain))
    throw reel::Error(reel::ErrorCode::bad_config,
                      "http_token has a character that no header can bear: take letters, digits and signs of "
                      "ASCII, without spaces");
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
  if (!token.empty()) check_token(token);
  if (!address.is_loopback() && token.empty())
    refuse(text,
           "other machines reach that address: give them a secret to name themselves by (http_token_file), "
           "or use "
           "127.0.0.1");
  return result;
}

std::string token_from_file(const std::string& path) {
  const reel::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0)
    refuse_file(path, fmt::format("it cannot be read: {}", std::strerror(errno)));
  if ((facts.st_mode & (S_IROTH | S_IWOTH)) != 0)
    refuse_file(path,
                fmt::format("every user of this machine can read or write it (mode {:03o}): chmod 600 \"{}\"",
                            facts.st_mode & 0777, path));
  std::array<char, kLongestToken + 2> bytes{};
  const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
  if (got < 0) refuse_file(path, fmt::format("it cannot be read: {}", std::strerror(errno)));
  const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) refuse_file(path, "there is nothing in its first line: write the token there");
  return std::string(line);
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
