#include "events/event_socket.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/base/unix_address.hpp>

#include "events/event_address.hpp"

namespace record {
namespace {

constexpr int kBacklog = 32;

reel::UniqueFd new_socket() {
  reel::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) reel::throw_errno(errno, "cannot make a socket");
  return socket;
}

bool peer_of(int socket, ucred& peer) noexcept {
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
}

void check_nobody_listens(const std::string& directory, const std::string& recording) {
  const reel::UnixAddress address(directory, event_socket_file(recording));
  const reel::UniqueFd socket = new_socket();
  const bool there = ::connect(socket.get(), address.get(), address.size()) == 0;
  if (!there && errno != EAGAIN) return;
  ucred peer{};
  throw reel::Error(
      reel::ErrorCode::in_use,
      fmt::format("events of a recording \"{}\" are taken by {} already: give this one another name",
                  recording,
                  there && peer_of(socket.get(), peer) ? reel::process_text(peer.pid)
                                                       : "a process that does not answer"));
}

}  // namespace

reel::UniqueFd listen_for_events(const std::string& directory, const std::string& recording) {
  const std::string file = event_socket_file(recording), path = directory + "/" + file;
  const reel::UnixAddress address(directory, file + "~");
  if (!address.fits())
    throw reel::Error(
        reel::ErrorCode::bad_argument,
        fmt::format("the socket's path \"{}\" is too long: use a shorter runtime directory", path));
  check_nobody_listens(directory, recording);
  reel::UniqueFd socket = new_socket();
  ::unlink((path + "~").c_str());
  // Renamed when it listens: whoever finds it can connect.
  if (::bind(socket.get(), address.get(), address.size()) != 0 || ::chmod((path + "~").c_str(), 0600) != 0 ||
      ::listen(socket.get(), kBacklog) != 0 || ::rename((path + "~").c_str(), path.c_str()) != 0)
    reel::throw_errno(errno, fmt::format("cannot listen at \"{}\"", path));
  return socket;
}

void forget_event_socket(const std::string& directory, const std::string& recording) noexcept {
  ::unlink((directory + "/" + event_socket_file(recording)).c_str());
}

bool peer_is_trusted(int socket) noexcept {
  ucred peer{};
  return peer_of(socket, peer) && (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace record
