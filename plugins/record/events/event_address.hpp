// Where EventServer listens, and whom it answers. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace record {

/// Of the option `http`: "127.0.0.1:9480", "[::1]:9480".
struct HttpAddress {
  std::string address;
  std::uint16_t port = 0;  // 0: any free one
};
/// Throws Error{bad_config} for what is no address, for one that others than this machine reach when there is
/// no `token`, and for a token that is short or cannot be borne. No message holds it.
[[nodiscard]] HttpAddress http_address_from(std::string_view text, std::string_view token);

/// What the first line of the file holds. Throws Error{bad_config} where it has none, cannot be read, or can
/// be read by every user.
[[nodiscard]] std::string token_from_file(const std::string& path);

/// Whether a request for this Host header may be answered: an address or localhost. Any other name may have
/// been pointed here by a page that wants to reach this port from somebody's browser (DNS rebinding).
[[nodiscard]] bool host_is_own(std::string_view host);

/// Of the header Authorization: "Bearer TOKEN". Takes as long for every wrong one of a length.
[[nodiscard]] bool bears(std::string_view authorization, std::string_view token) noexcept;

/// The socket's file of a recording, in the runtime directory: "door.recording".
[[nodiscard]] std::string event_socket_file(std::string_view recording);

}  // namespace record
