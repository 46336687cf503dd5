// SOCK_SEQPACKET sockets in a runtime directory: addresses, whole messages, descriptors that come with them.
// Thread-safe functions on descriptors; nothing blocks but receive_within().
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <reel/base/unique_fd.hpp>
#include <reel/channel/handshake.hpp>

#include "allow_list.hpp"

namespace reel {

struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Listens at `directory`/`file`, appearing there only once connections are taken, and with `access`. Throws
/// Error.
[[nodiscard]] UniqueFd listen_at(const std::string& directory, const std::string& file,
                                 const SocketAccess& access);
/// A connection, or nullopt with errno: ENOENT, ECONNREFUSED, EAGAIN, EACCES...
[[nodiscard]] std::optional<UniqueFd> connect_to(const std::string& directory, const std::string& file);
[[nodiscard]] std::optional<UniqueFd> accept_from(int listener) noexcept;
[[nodiscard]] std::optional<PeerCredentials> peer_of(int socket) noexcept;
/// The groups a peer was in besides its own when it connected; empty where the system does not tell.
[[nodiscard]] std::vector<gid_t> peer_groups_of(int socket);

enum class SendStatus { sent, would_block, gone };
[[nodiscard]] SendStatus send_message(int socket, std::span<const std::byte> bytes,
                                      std::span<const int> fds = {}) noexcept;
/// The one byte that wakes the other side. Lost only when the socket is full, when a wake is on its way
/// anyway.
void send_byte(int socket) noexcept;

/// One message as it came.
struct ReceivedMessage {
  std::array<std::byte, kMaxMessageBytes> bytes;
  std::size_t size = 0;
  bool intact = false;  // not cut off, no more descriptors than allowed
  std::array<UniqueFd, kMaxMessageDescriptors> fds;
  std::size_t fd_count = 0;
};
enum class ReceiveStatus { received, none, gone };
/// Without waiting. Zero bytes are end of file.
[[nodiscard]] ReceiveStatus receive_message(int socket, ReceivedMessage& message) noexcept;
/// The same, waiting up to `timeout_ms`; `none` when it passes.
[[nodiscard]] ReceiveStatus receive_within(int socket, ReceivedMessage& message, int timeout_ms) noexcept;

/// What kind of message it is, checked as far as every message is: nullopt for one that is not of this
/// protocol and major version.
[[nodiscard]] std::optional<MessageHeader> header_of(const ReceivedMessage& message) noexcept;

template <typename Message>
[[nodiscard]] std::span<const std::byte> bytes_of(const Message& message) noexcept {
  return std::as_bytes(std::span(&message, 1));
}

/// The message as its type, when it has exactly the size and number of descriptors.
template <typename Message>
[[nodiscard]] std::optional<Message> as(const ReceivedMessage& received, std::size_t descriptors) noexcept {
  if (!received.intact || received.size != sizeof(Message) || received.fd_count != descriptors)
    return std::nullopt;
  Message message;
  auto* to = reinterpret_cast<std::byte*>(&message);
  for (std::size_t i = 0; i < sizeof(Message); ++i) to[i] = received.bytes[i];
  return message;
}

}  // namespace reel
