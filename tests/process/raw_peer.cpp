#include "raw_peer.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <reel_test/wait_until.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace stream_test {

namespace {

constexpr int kWatchdogMs = 30'000;

}  // namespace

RawPeer::RawPeer(const std::string& directory, const std::string& stream)
    : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory + "/" + stream + ".sock";
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + path);
  path.copy(address.sun_path, path.size());
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("nobody listens at " + path);
  }
}

bool RawPeer::send(std::span<const std::byte> bytes, std::span<const int> fds) const {
  iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  std::vector<std::byte> control(CMSG_SPACE(sizeof(int) * fds.size()));
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
  }
  return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) >= 0;
}

std::optional<RawMessage> RawPeer::receive() const {
  pollfd waiting{socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, kWatchdogMs) <= 0) return std::nullopt;
  RawMessage received;
  received.bytes.resize(4096);
  iovec vector{received.bytes.data(), received.bytes.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * 8)> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return std::nullopt;
  received.bytes.resize(static_cast<std::size_t>(size));
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

bool RawPeer::hung_up() const {
  return reel_test::wait_until([&] {
    std::array<std::byte, 4096> ignored{};
    const ssize_t size = ::recv(socket_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  });
}

reel::HelloMessage hello(reel::Policy policy, std::uint32_t max_pins, const std::string& name) {
  reel::HelloMessage message;
  message.policy = static_cast<std::uint32_t>(policy);
  message.start = static_cast<std::uint32_t>(reel::Start::live);
  message.max_pins = max_pins;
  name.copy(message.name.data(), message.name.size() - 1);
  return message;
}

std::string refusal_of(const std::optional<RawMessage>& message) {
  reel::RefusedMessage refused;
  if (!message || message->bytes.size() != sizeof refused) return {};
  std::memcpy(&refused, message->bytes.data(), sizeof refused);
  if (refused.header.type != reel::MessageType::refused || refused.text_bytes > refused.text.size())
    return {};
  return {refused.text.data(), refused.text_bytes};
}

RawReader::RawReader(const std::string& directory, const std::string& stream,
                     const reel::HelloMessage& greeting)
    : peer(directory, stream) {
  peer.send_as(greeting);
  auto answer = peer.receive();
  if (!answer || answer->bytes.size() != sizeof welcome || answer->fds.size() != 3) {
    throw std::runtime_error("not welcome: " + refusal_of(answer));
  }
  std::memcpy(&welcome, answer->bytes.data(), sizeof welcome);
  received = std::move(*answer);
  mapped_page = reel::segment_backend(reel::SegmentKind::memfd)
                    .map(reel::UniqueFd(::dup(received.fds[2].get())), sizeof(reel::ReaderPage), true);
}

}  // namespace stream_test
