#include "address.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr std::string_view kMask = "***";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

std::string unescaped(const std::string& text, const std::string& scheme) {
  const reel::gst::Text plain(g_uri_unescape_string(text.c_str(), nullptr));
  if (!plain)
    throw Error(ErrorCode::bad_config,
                "the user name or password in the option uri (" + scheme +
                    "://...) has a % that no two hexadecimal digits follow: write %25 for a %, %40 for an @, "
                    "or use the options user and password");
  return plain.get();
}

bool is_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 8> kKeys{"pass", "pwd", "token", "secret",
                                                         "auth", "key", "psw",   "sig"};
  const std::string name = lower(key);
  return std::any_of(kKeys.begin(), kKeys.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

// Cameras take passwords as "?user=admin&password=x" or "/user=admin_password=x_channel=1" too.
std::string masked(const std::string& uri) {
  constexpr std::string_view kBreaks = "?&/_;#";
  std::string result = uri;
  std::size_t begin = result.find("://");
  begin = std::min(result.find_first_of("/?#", begin + 3), result.size());  // the host is no secret
  for (std::size_t equals = result.find('=', begin); equals != std::string::npos;
       equals = result.find('=', equals + 1)) {
    const std::size_t key = result.find_last_of(kBreaks, equals - 1) + 1;
    if (!is_secret(std::string_view(result).substr(key, equals - key))) continue;
    const std::size_t end = std::min(result.find_first_of("&/;#", equals + 1), result.size());
    result.replace(equals + 1, end - equals - 1, kMask);
  }
  return result;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  const int reason = errno;
  std::string line;
  if (!file)
    throw Error(ErrorCode::bad_config,
                "cannot read the option password_file \"" + path + "\": " + std::strerror(reason));
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  if (line.empty())
    throw Error(ErrorCode::bad_config, "the option password_file \"" + path +
                                           "\" has nothing in its first line: write the password there");
  return line;
}

}  // namespace

std::string scheme_of(const std::string& uri) {
  const std::size_t end = uri.find("://");
  return end == std::string::npos || uri.find('/') < end ? std::string() : lower(uri.substr(0, end));
}

Address parse_address(const std::string& uri) {
  const std::string scheme = scheme_of(uri);
  const std::size_t begin = uri.find("://") + 3;
  const std::size_t end = std::min(uri.find_first_of("/?#", begin), uri.size());
  const std::string authority = uri.substr(begin, end - begin);
  const std::size_t at = authority.rfind('@');
  Address address;
  if (at != std::string::npos) {
    const std::string who = authority.substr(0, at);
    const std::size_t colon = who.find(':');
    address.user = unescaped(who.substr(0, colon), scheme);
    if (colon != std::string::npos) address.password = unescaped(who.substr(colon + 1), scheme);
  }
  const std::string host = at == std::string::npos ? authority : authority.substr(at + 1);
  // A password with a "/" in it that is not written %2F: the host would be the user, the port what was cut
  // off.
  const std::size_t port = host.find(':', host.rfind('[', 0) == 0 ? host.find(']') : 0);
  const bool cut = uri.find('@', end) != std::string::npos && port != std::string::npos &&
                   host.find_first_not_of("0123456789", port + 1) != std::string::npos;
  if (host.empty() || cut)
    throw Error(ErrorCode::bad_config,
                "the option uri (" + scheme + "://...) names no host: write " + scheme +
                    "://HOST/PATH; in a user name or password a / is %2F, an @ %40 and a : %3A, or use the "
                    "options user and password");
  address.uri = scheme + "://" + host + uri.substr(end);
  address.shown = masked(address.uri);
  return address;
}

Address address_from(const reel::Options& options) {
  Address address = parse_address(options.text("uri"));
  const std::string& password = options.text("password");
  const std::string& file = options.text("password_file");
  if (!password.empty() && !file.empty())
    throw Error(ErrorCode::bad_config,
                "both of the options password and password_file are given: leave one out");
  if (!options.text("user").empty()) address.user = options.text("user");
  if (!password.empty()) address.password = password;
  if (!file.empty()) address.password = first_line(file);
  if (!address.password.empty() && address.user.empty())
    throw Error(ErrorCode::bad_config,
                "a password is given for \"" + address.shown + "\" and no user name: add the option user");
  return address;
}

std::string path_without_secret(const std::string& path) {
  static constexpr std::array<std::string_view, 5> kSchemes{"file", "http", "https", "rtsp", "rtsps"};
  const std::size_t at = path.rfind('@');
  if (at == std::string::npos) return path;
  for (std::size_t colon = path.find(':'); colon < at; colon = path.find(':', colon + 1)) {
    const std::string part = lower(path.substr(0, colon));
    const std::string name = part.substr(part.rfind('/') + 1);  // of nothing: from the beginning
    const bool scheme = path[colon + 1] == '/' && std::ranges::find(kSchemes, name) != kSchemes.end();
    if (!scheme) return path.substr(0, colon + 1) + std::string(kMask) + path.substr(at);
  }
  return path;
}

std::string without_secret(std::string text, const std::string& secret) {
  if (secret.empty()) return text;
  const reel::gst::Text escaped(g_uri_escape_string(secret.c_str(), nullptr, FALSE));
  for (const std::string& part : {secret, std::string(escaped.get())})
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + kMask.size()))
      text.replace(at, part.size(), kMask);
  return text;
}

}  // namespace capture
