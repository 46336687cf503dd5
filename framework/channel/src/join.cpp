#include "join.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <reel/base/error.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "name_lock.hpp"

namespace reel {
namespace {

std::optional<UniqueFd> find_writer(const std::string& stream) {
  for (const std::string& directory : runtime_dirs()) {
    if (auto socket = connect_to(directory, socket_file(stream))) return socket;
    if (errno == EACCES || errno == EPERM)
      throw_errno(errno, fmt::format("cannot connect to \"{}/{}\"", directory, socket_file(stream)), stream);
  }
  return std::nullopt;
}

[[noreturn]] void throw_refusal(const RefusedMessage& refused, const std::string& stream) {
  const std::size_t size = std::min<std::size_t>(refused.text_bytes, refused.text.size());
  const bool known = refused.code <= static_cast<std::uint32_t>(ErrorCode::internal);
  throw Error(known ? static_cast<ErrorCode>(refused.code) : ErrorCode::refused,
              std::string(refused.text.data(), size), stream);
}

}  // namespace

std::optional<Joined> join_stream(const std::string& stream, const HelloMessage& hello, int timeout_ms) {
  std::optional<UniqueFd> socket = find_writer(stream);
  if (!socket) return std::nullopt;
  if (send_message(socket->get(), bytes_of(hello)) != SendStatus::sent)
    return std::nullopt;  // it left just now

  Joined joined;
  switch (receive_within(socket->get(), joined.received, timeout_ms)) {
    case ReceiveStatus::gone: return std::nullopt;
    case ReceiveStatus::none:
      throw Error(
          ErrorCode::timeout,
          fmt::format("its writer took the connection but did not answer within {} ms: is it stopped?",
                      timeout_ms),
          stream);
    case ReceiveStatus::received: break;
  }
  const auto header = header_of(joined.received);
  if (!header)
    throw Error(ErrorCode::protocol, "whoever listens at its socket does not speak Reel's handshake", stream);
  if (header->major != kHandshakeMajor)
    throw Error(
        ErrorCode::version,
        fmt::format("its writer speaks handshake version {}.{}, this program {}.{}: rebuild the older one",
                    header->major, header->minor, kHandshakeMajor, kHandshakeMinor),
        stream);
  if (header->type == MessageType::refused) {
    const auto refused = as<RefusedMessage>(joined.received, 0);
    if (refused) throw_refusal(*refused, stream);
  }
  const std::size_t descriptors = hello.role == PeerRole::reader ? 3 : 2;
  const auto welcome = as<WelcomeMessage>(joined.received, descriptors);
  if (header->type != MessageType::welcome || !welcome)
    throw Error(ErrorCode::protocol,
                fmt::format("its writer answered hello with message type {} of {} bytes and {} descriptors, "
                            "expected a welcome of "
                            "{} bytes and {}",
                            static_cast<std::uint32_t>(header->type), joined.received.size,
                            joined.received.fd_count, sizeof(WelcomeMessage), descriptors),
                stream);
  joined.welcome = *welcome;
  joined.socket = std::move(*socket);
  return joined;
}

std::string where_looked() {
  const std::vector<std::string> directories = runtime_dirs();
  if (directories.empty()) return "(no runtime directory exists)";
  return fmt::format("in {}", fmt::join(directories, ", "));
}

}  // namespace reel
