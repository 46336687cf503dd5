#include "socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/unix_address.hpp>

namespace reel {
namespace {

UniqueFd new_socket() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno(errno, "cannot make a socket");
  return socket;
}

constexpr int kBacklog = 128;

}  // namespace

UniqueFd listen_at(const std::string& directory, const std::string& file, const SocketAccess& access) {
  const std::string path = directory + "/" + file;
  // Bound under another name and renamed when it listens: whoever finds it can connect.
  const std::string unfinished = path + "~";
  const UnixAddress address(directory, file + "~");
  if (!address.fits())
    throw Error(ErrorCode::bad_argument,
                fmt::format("the socket's path \"{}\" is too long: use a shorter runtime directory", path));
  UniqueFd socket = new_socket();
  ::unlink(unfinished.c_str());
  if (::bind(socket.get(), address.get(), address.size()) != 0)
    throw_errno(errno, fmt::format("cannot make the socket \"{}\"", path));
  const bool given = access.group && ::chown(unfinished.c_str(), static_cast<uid_t>(-1), *access.group) == 0;
  if (::chmod(unfinished.c_str(), given ? 0660 : access.mode) != 0 || ::listen(socket.get(), kBacklog) != 0 ||
      ::rename(unfinished.c_str(), path.c_str()) != 0)
    throw_errno(errno, fmt::format("cannot listen at \"{}\"", path));
  return socket;
}

std::optional<UniqueFd> connect_to(const std::string& directory, const std::string& file) {
  const UnixAddress address(directory, file);
  if (!address.fits()) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  UniqueFd socket = new_socket();
  if (::connect(socket.get(), address.get(), address.size()) != 0) return std::nullopt;
  return socket;
}

std::optional<UniqueFd> accept_from(int listener) noexcept {
  UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return std::nullopt;
  return socket;
}

std::optional<PeerCredentials> peer_of(int socket) noexcept {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

std::vector<gid_t> peer_groups_of(int socket) {
  std::vector<gid_t> groups(64);
  socklen_t size = 0;
  int result = 0;
  do {  // told how many bytes it takes when they are too few
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    result = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (size > groups.size() * sizeof(gid_t)) groups.resize(size / sizeof(gid_t));
  } while (result != 0 && errno == ERANGE);
  groups.resize(result == 0 ? size / sizeof(gid_t) : 0);
  return groups;
}

SendStatus send_message(int socket, std::span<const std::byte> bytes, std::span<const int> fds) noexcept {
  iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * kMaxMessageDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
  }
  for (;;) {
    if (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return SendStatus::sent;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? SendStatus::would_block
                                                                       : SendStatus::gone;
  }
}

void send_byte(int socket) noexcept {
  const char byte = 1;
  while (::send(socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

ReceiveStatus receive_message(int socket, ReceivedMessage& received) noexcept {
  for (UniqueFd& fd : received.fds) fd.reset();
  received.fd_count = 0;
  received.size = 0;
  iovec vector{received.bytes.data(), received.bytes.size()};
  // Room for more than we take, so that surplus descriptors are seen and closed rather than cut off silently.
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * 16)> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? ReceiveStatus::none : ReceiveStatus::gone;

  bool surplus = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      UniqueFd owned(fd);
      if (received.fd_count < received.fds.size())
        received.fds[received.fd_count++] = std::move(owned);
      else
        surplus = true;
    }
  }
  if (size == 0) return ReceiveStatus::gone;
  received.size = static_cast<std::size_t>(size);
  received.intact = !surplus;
  return ReceiveStatus::received;
}

ReceiveStatus receive_within(int socket, ReceivedMessage& message, int timeout_ms) noexcept {
  const std::int64_t deadline = monotonic_ns() + std::int64_t{timeout_ms} * 1'000'000;
  for (;;) {
    const ReceiveStatus status = receive_message(socket, message);
    if (status != ReceiveStatus::none) return status;
    const std::int64_t left_ms = (deadline - monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) return ReceiveStatus::none;
    pollfd wait{socket, POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(left_ms));
  }
}

std::optional<MessageHeader> header_of(const ReceivedMessage& message) noexcept {
  if (!message.intact || message.size < sizeof(MessageHeader)) return std::nullopt;
  MessageHeader header;
  std::memcpy(&header, message.bytes.data(), sizeof header);
  if (header.magic != kHandshakeMagic) return std::nullopt;
  return header;
}

}  // namespace reel
