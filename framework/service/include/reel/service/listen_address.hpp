// Where a service listens, as pipeline files and command lines write it. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reel {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 0;          // 0: any free one

  [[nodiscard]] bool loopback() const;
  /// "127.0.0.1:9477", "[::1]:9477"
  [[nodiscard]] std::string text() const;
};

/// "127.0.0.1:9477", "[::1]:0", "localhost:9477", or a port alone, which is one of 127.0.0.1. Throws
/// Error{bad_config}.
[[nodiscard]] ListenAddress listen_address_from(std::string_view text);

}  // namespace reel
