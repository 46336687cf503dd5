// A message from whoever is at the other end of the socket: its first byte is how many descriptors come with
// it. What is taken for a message has its size, its descriptors and its header; the answer to a hello is a
// welcome or one error that names the stream.
#include "fuzz.hpp"
#include "join.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <reel/base/error.hpp>

namespace {

using namespace reel;
using fuzz::require;

constexpr std::size_t kMostDescriptors = 5;

struct Ends {
  UniqueFd ours, theirs;
};

Ends connected() {
  int fds[2];
  require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0,
          "there are sockets");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// More than send_message() would: a stranger keeps to no limit.
void send(int socket, const std::uint8_t* data, std::size_t size, std::size_t descriptors) {
  static const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::array<int, kMostDescriptors> fds;
  fds.fill(file.get());
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
  iovec bytes{const_cast<std::uint8_t*>(data), size};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (descriptors != 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), descriptors * sizeof(int));
  }
  require(::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0, "the message is sent");
}

template <typename Message>
void check_as(const ReceivedMessage& received, std::size_t sent_bytes, std::size_t sent_descriptors) {
  for (std::size_t descriptors = 0; descriptors <= kMaxMessageDescriptors; ++descriptors) {
    if (!as<Message>(received, descriptors)) continue;
    require(sent_bytes == sizeof(Message), "a message is taken for one of its size alone");
    require(sent_descriptors == descriptors, "with the descriptors that came");
  }
}

void check_answer(UniqueFd socket, ReceivedMessage received, PeerRole role) {
  HelloMessage hello;
  hello.role = role;
  try {
    const Joined joined = joined_by(std::move(socket), std::move(received), hello, "stream");
    require(joined.welcome.header.type == MessageType::welcome, "only a welcome is one");
    require(joined.received.fd_count == (role == PeerRole::reader ? 3 : 2), "a welcome has its descriptors");
  } catch (const Error& error) {
    require(error.where() == "stream", "the error names the stream");
    require(error.code() <= ErrorCode::internal, "the error is of a known kind");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;  // nothing sent is an end of file
  const std::size_t descriptors = data[0] % (kMostDescriptors + 1);
  const std::size_t bytes = size - 1;
  Ends ends = connected();
  send(ends.theirs.get(), data + 1, bytes, descriptors);
  ReceivedMessage received;
  require(receive_message(ends.ours.get(), received) == ReceiveStatus::received, "what was sent has come");
  const bool fits = bytes <= kMaxMessageBytes && descriptors <= kMaxMessageDescriptors;
  require(received.intact == fits, "what is too large is not intact");
  require(received.size <= kMaxMessageBytes && received.fd_count <= kMaxMessageDescriptors,
          "a message stays in its place");
  if (const auto header = header_of(received))
    require(header->magic == kHandshakeMagic && bytes >= sizeof(MessageHeader), "a header is one of ours");
  check_as<HelloMessage>(received, bytes, descriptors);
  check_as<WelcomeMessage>(received, bytes, descriptors);
  check_as<RefusedMessage>(received, bytes, descriptors);
  check_as<StatusMessage>(received, bytes, descriptors);
  check_as<ReaderStatusMessage>(received, bytes, descriptors);
  check_answer(std::move(ends.ours), std::move(received),
               (data[0] & 0x80) != 0 ? PeerRole::observer : PeerRole::reader);
  return 0;
}
