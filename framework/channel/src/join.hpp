// Joining a stream: finding its socket, saying hello, hearing welcome or why not. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include <reel/channel/absence.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "socket.hpp"

namespace reel {

struct Joined {
  UniqueFd socket;
  WelcomeMessage welcome;
  ReceivedMessage received;  // with the descriptors of the welcome
};

/// Finds the stream's writer and says hello: the socket on which the answer will come, or nullopt when there
/// is no living writer. Does not block. Throws Error{no_permission} when there is no directory it may look
/// into, or the socket is closed to us.
[[nodiscard]] std::optional<UniqueFd> greet_writer(const std::string& stream, const HelloMessage& hello);

/// The writer will answer when it has more slots: with its next frame. Nothing went wrong.
[[nodiscard]] bool says_parked(const ReceivedMessage& answer);

/// Checks the writer's answer to `hello`. Throws Error{refused | version | protocol}, all naming the stream.
[[nodiscard]] Joined joined_by(UniqueFd socket, ReceivedMessage answer, const HelloMessage& hello,
                               const std::string& stream);

/// Both, waiting up to `timeout_ms` for the answer. nullopt when there is no living writer. Throws as both,
/// and Error{timeout}.
[[nodiscard]] std::optional<Joined> join_stream(const std::string& stream, const HelloMessage& hello,
                                                int timeout_ms);

/// For a writer that took the connection and says nothing.
[[noreturn]] void throw_no_answer(const std::string& stream, int timeout_ms);

/// The socket of a stream in a directory, connected; nullopt with errno. Throws Error{no_permission} when
/// another user than the directory's owner listens there.
[[nodiscard]] std::optional<UniqueFd> connect_to_owner(const RuntimeDir& directory,
                                                       const std::string& stream);

/// absence_text() as Error{not_found}.
[[noreturn]] void throw_not_found(const std::string& stream);

}  // namespace reel
