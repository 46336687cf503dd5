#include "join.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <reel/base/error.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/observer.hpp>

#include "name_lock.hpp"

namespace reel {
namespace {

using State = RuntimeDir::State;

std::optional<UniqueFd> find_writer(const std::string& stream) {
  const std::vector<RuntimeDir> directories = runtime_dirs();
  for (const RuntimeDir& directory : directories) {
    if (directory.state != State::usable && directory.state != State::unlisted) continue;
    if (auto socket = connect_to_owner(directory, stream)) return socket;
    if (errno == EACCES || errno == EPERM)
      throw Error(ErrorCode::no_permission,
                  fmt::format("\"{}/{}\" is closed to {} (it is of {}): its writer must list that "
                              "user or its group",
                              directory.path, socket_file(stream), user_text(::geteuid()),
                              user_text(directory.owner)),
                  stream);
  }
  const bool refused = std::all_of(directories.begin(), directories.end(),
                                   [](const auto& one) { return one.state == State::refused; });
  if (refused) throw Error(ErrorCode::no_permission, directories.front().objection, stream);
  return std::nullopt;
}

// Of a process that has the stream's name in this directory, and no reader yet. nullopt: there is none.
std::optional<std::string> presence_in(const RuntimeDir& directory, const std::string& stream) {
  try {
    if (const auto socket = connect_to_owner(directory, stream)) {
      const auto writer = peer_of(socket->get());
      return fmt::format("{} listens for it and has not answered yet: is it stopped?",
                         process_text(writer ? writer->pid : 0));
    }
  } catch (const Error& error) {
    return error.message();
  }
  if (const auto process = name_owner(directory.path, stream))
    return fmt::format("{} has taken its name and written nothing yet", *process);
  return std::nullopt;
}

[[noreturn]] void throw_refusal(const RefusedMessage& refused, const std::string& stream) {
  const std::size_t size = std::min<std::size_t>(refused.text_bytes, refused.text.size());
  const bool known = refused.code <= static_cast<std::uint32_t>(ErrorCode::internal);
  throw Error(known ? static_cast<ErrorCode>(refused.code) : ErrorCode::refused,
              std::string(refused.text.data(), size), stream);
}

}  // namespace

std::optional<UniqueFd> greet_writer(const std::string& stream, const HelloMessage& hello) {
  std::optional<UniqueFd> socket = find_writer(stream);
  if (!socket || send_message(socket->get(), bytes_of(hello)) != SendStatus::sent)
    return std::nullopt;  // it left just now
  return socket;
}

bool says_parked(const ReceivedMessage& answer) {
  const auto header = header_of(answer);
  return header && header->major == kHandshakeMajor && header->type == MessageType::parked &&
         as<PlainMessage>(answer, 0).has_value();
}

Joined joined_by(UniqueFd socket, ReceivedMessage answer, const HelloMessage& hello,
                 const std::string& stream) {
  const auto header = header_of(answer);
  if (!header)
    throw Error(ErrorCode::protocol, "whoever listens at its socket does not speak Reel's handshake", stream);
  if (header->major != kHandshakeMajor)
    throw Error(
        ErrorCode::version,
        fmt::format("its writer speaks handshake version {}.{}, this program {}.{}: rebuild the older one",
                    header->major, header->minor, kHandshakeMajor, kHandshakeMinor),
        stream);
  if (header->type == MessageType::refused) {
    const auto refused = as<RefusedMessage>(answer, 0);
    if (refused) throw_refusal(*refused, stream);
  }
  const std::size_t descriptors = hello.role == PeerRole::reader ? 3 : 2;
  const auto welcome = as<WelcomeMessage>(answer, descriptors);
  if (header->type != MessageType::welcome || !welcome)
    throw Error(ErrorCode::protocol,
                fmt::format("its writer answered hello with message type {} of {} bytes and {} descriptors, "
                            "expected a welcome of "
                            "{} bytes and {}",
                            static_cast<std::uint32_t>(header->type), answer.size, answer.fd_count,
                            sizeof(WelcomeMessage), descriptors),
                stream);
  return {std::move(socket), *welcome, std::move(answer)};
}

std::optional<Joined> join_stream(const std::string& stream, const HelloMessage& hello, int timeout_ms) {
  std::optional<UniqueFd> socket = greet_writer(stream, hello);
  if (!socket) return std::nullopt;
  ReceivedMessage answer;
  switch (receive_within(socket->get(), answer, timeout_ms)) {
    case ReceiveStatus::gone: return std::nullopt;
    case ReceiveStatus::none: throw_no_answer(stream, timeout_ms);
    case ReceiveStatus::received: break;
  }
  return joined_by(std::move(*socket), std::move(answer), hello, stream);
}

void throw_no_answer(const std::string& stream, int timeout_ms) {
  throw Error(ErrorCode::timeout,
              fmt::format("its writer took the connection but did not answer within {} ms: is it stopped?",
                          timeout_ms),
              stream);
}

std::optional<UniqueFd> connect_to_owner(const RuntimeDir& directory, const std::string& stream) {
  auto socket = connect_to(directory.path, socket_file(stream));
  if (!socket) return std::nullopt;
  const auto writer = peer_of(socket->get());
  if (!writer || writer->uid != directory.owner)
    throw Error(ErrorCode::no_permission,
                fmt::format("{} listens at \"{}/{}\", in a directory of {}: only its owner may",
                            writer ? user_text(writer->uid) : "an unknown user", directory.path,
                            socket_file(stream), user_text(directory.owner)),
                stream);
  return socket;
}

std::string absence_text(const std::string& stream) {
  const std::vector<RuntimeDir> directories = runtime_dirs();
  for (const RuntimeDir& directory : directories) {
    if (directory.state != State::usable && directory.state != State::unlisted) continue;
    if (const auto process = presence_in(directory, stream)) return *process;
  }
  const std::vector<std::string> living = list_streams();
  std::string message = fmt::format("no process writes it; looked {}", where_looked());
  bool all_seen = true;
  for (const RuntimeDir& directory : directories) {
    if (directory.state == State::refused) message += "; " + directory.objection;
    all_seen = all_seen && directory.objection.empty();
  }
  if (const auto near = nearest_name(stream, living))
    message += fmt::format("; did you mean '{}'?", *near);
  else if (!living.empty())
    message += fmt::format("; there is {}", join_or(living));
  else if (all_seen)
    message += "; no stream has a writer now";
  return message;
}

void throw_not_found(const std::string& stream) {
  throw Error(ErrorCode::not_found, absence_text(stream), stream);
}

}  // namespace reel
