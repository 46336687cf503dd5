// A URI, apart from the user name and password in it, which only the element that connects is to see. Pure,
// but for reading a password file.
#pragma once

#include <string>

#include <reel/stage/options.hpp>

namespace capture {

/// The scheme of `uri` in lower case ("rtsp"); empty for a path.
[[nodiscard]] std::string scheme_of(const std::string& uri);

struct Address {
  std::string uri;    // without user name and password
  std::string shown;  // for messages: `uri`, with the values of query keys such as "password" as ***
  std::string user;
  std::string password;
};

/// Takes `user:password@` out of `uri` ("%40" is an "@" in either). Throws reel::Error{bad_config}, without a
/// word of what stands before the "@", for a URI without a host or with a malformed %XX there.
[[nodiscard]] Address parse_address(const std::string& uri);

/// The same, with the options `user`, `password` and `password_file` (its first line) in place of what the
/// URI says. Throws reel::Error{bad_config} where two of them give a password, the file cannot be read or is
/// empty.
[[nodiscard]] Address address_from(const reel::Options& options);

/// A path with what stands between a user name and an "@" as ***: it may be an address that was mistyped
/// ("rtsp:/user:password@host").
[[nodiscard]] std::string path_without_secret(const std::string& path);

/// `text` with every occurrence of the password, plain or as URIs escape it, as ***.
[[nodiscard]] std::string without_secret(std::string text, const std::string& secret);

}  // namespace capture
