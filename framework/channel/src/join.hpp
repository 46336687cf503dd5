// Joining a stream: finding its socket, saying hello, hearing welcome or why not. Blocks for as long as the
// writer's answer takes, at most the timeout. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "socket.hpp"

namespace reel {

struct Joined {
  UniqueFd socket;
  WelcomeMessage welcome;
  ReceivedMessage received;  // with the descriptors of the welcome
};

/// nullopt when there is no living writer. Throws Error{refused | version | protocol | timeout |
/// no_permission}, all naming the stream.
[[nodiscard]] std::optional<Joined> join_stream(const std::string& stream, const HelloMessage& hello,
                                                int timeout_ms);

/// Where it was looked, for messages: "in /run/reel, /tmp/reel-0".
[[nodiscard]] std::string where_looked();

}  // namespace reel
