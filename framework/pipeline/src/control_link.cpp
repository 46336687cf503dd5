#include "control_link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/base/unix_address.hpp>

namespace reel {
namespace {

constexpr std::string_view kSuffix = ".pipeline";
constexpr int kBacklog = 16;

std::string file_of(const std::string& pipeline) {
  return pipeline + std::string(kSuffix);
}

UniqueFd new_socket() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno(errno, "cannot make a socket");
  return socket;
}

// Held while a name is looked at and taken: two that begin at once shall not both take that of a dead one.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory)
      : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (fd_ && ::flock(fd_.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
  }

 private:
  UniqueFd fd_;
};

// One that is busy has no room for a connection more (EAGAIN): it is there.
bool nobody_listens(int connect_error) noexcept {
  return connect_error == ENOENT || connect_error == ECONNREFUSED;
}

}  // namespace

void ControlLink::send(std::string_view line, UniqueFd descriptor) {
  if (broken_) return;
  if (descriptor) enclosed_.push_back({out_.size(), std::move(descriptor)});
  out_ += line;
  out_ += '\n';
  broken_ = out_.size() - sent_ > kMostWaiting;
}

bool ControlLink::flush() {
  while (!broken_ && wants_to_send()) {
    const ssize_t sent = send_some();
    if (sent > 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  out_.erase(0, sent_);
  for (Enclosed& enclosed : enclosed_) enclosed.at -= sent_;
  sent_ = 0;
  return !broken_;
}

// A descriptor goes with the first byte of its line: who has that line has the descriptor.
ssize_t ControlLink::send_some() {
  const bool enclosed = !enclosed_.empty() && enclosed_.front().at == sent_;
  const auto next = enclosed_.begin() + (enclosed ? 1 : 0);
  const std::size_t until = next == enclosed_.end() ? out_.size() : next->at;
  iovec bytes{out_.data() + sent_, until - sent_};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (enclosed) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = enclosed_.front().descriptor.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0 && enclosed) enclosed_.pop_front();
  return sent;
}

bool ControlLink::receive() {
  std::array<char, 16384> buffer;
  // What was taken goes before more comes, so that a byte is moved a few times at most.
  in_.erase(0, taken_);
  if (has_line()) line_end_ -= taken_;
  taken_ = 0;
  std::size_t seen = in_.size();
  bool open = !broken_;
  while (open && in_.size() - seen < kAtOnce) {
    const ssize_t got = receive_some(buffer);
    if (got > 0) {
      in_.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      open = false;
    } else if (errno != EINTR) {
      open = errno == EAGAIN || errno == EWOULDBLOCK;
      break;
    }
  }
  if (!has_line()) line_end_ = in_.find('\n', seen);
  return open && (has_line() || in_.size() <= kLongestLine);
}

std::optional<std::string> ControlLink::next() {
  if (!has_line()) return std::nullopt;
  std::string line = in_.substr(taken_, line_end_ - taken_);
  taken_ = line_end_ + 1;
  line_end_ = in_.find('\n', taken_);
  return line;
}

// Where no room is given for descriptors, the kernel closes those that come.
ssize_t ControlLink::receive_some(std::span<char> buffer) {
  iovec bytes{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (side_ == Side::tool) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 || keep_descriptors(message)) return got;
  errno = EPROTO;
  return -1;
}

// False where they are more than a pipeline sends.
bool ControlLink::keep_descriptors(msghdr& message) {
  if (side_ == Side::pipeline) return true;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + at, sizeof descriptor);
      delivered_.emplace_back(descriptor);
    }
  }
  return (message.msg_flags & MSG_CTRUNC) == 0 && delivered_.size() <= kMostDescriptors;
}

UniqueFd ControlLink::take_descriptor() {
  if (delivered_.empty()) return {};
  UniqueFd first = std::move(delivered_.front());
  delivered_.pop_front();
  return first;
}

UniqueFd listen_for_control(const std::string& directory, const std::string& pipeline) {
  const DirectoryLock lock(directory);
  const std::string file = file_of(pipeline), path = directory + "/" + file;
  const UnixAddress address(directory, file + "~");
  if (!address.fits())
    throw Error(ErrorCode::bad_argument,
                fmt::format("the socket's path \"{}\" is too long: use a shorter runtime directory", path));
  if (const auto there = connect_for_control(directory, pipeline); there || !nobody_listens(errno)) {
    const auto peer = there ? control_peer(there->get()) : std::nullopt;
    throw Error(
        ErrorCode::in_use,
        fmt::format("a pipeline \"{}\" runs already, supervised by {}: stop it (reel stop {}), or "
                    "give this one another name",
                    pipeline, peer ? process_text(peer->pid) : "a process that does not answer", pipeline));
  }
  UniqueFd socket = new_socket();
  ::unlink((path + "~").c_str());
  // Renamed when it listens: whoever finds it can connect.
  if (::bind(socket.get(), address.get(), address.size()) != 0 || ::chmod((path + "~").c_str(), 0600) != 0 ||
      ::listen(socket.get(), kBacklog) != 0 || ::rename((path + "~").c_str(), path.c_str()) != 0)
    throw_errno(errno, fmt::format("cannot listen at \"{}\"", path));
  return socket;
}

std::optional<UniqueFd> connect_for_control(const std::string& directory, const std::string& pipeline) {
  const UnixAddress address(directory, file_of(pipeline));
  if (!address.fits()) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  UniqueFd socket = new_socket();
  if (::connect(socket.get(), address.get(), address.size()) != 0) return std::nullopt;
  return socket;
}

void forget_control(const std::string& directory, const std::string& pipeline) noexcept {
  ::unlink((directory + "/" + file_of(pipeline)).c_str());
}

std::vector<std::string> sweep_control(const std::string& directory) {
  const DirectoryLock lock(directory);
  std::vector<std::string> swept;
  for (const std::string& pipeline : control_files(directory)) {
    if (connect_for_control(directory, pipeline) || errno != ECONNREFUSED) continue;
    forget_control(directory, pipeline);
    swept.push_back(pipeline);
  }
  return swept;
}

std::vector<std::string> control_files(const std::string& directory) {
  std::vector<std::string> pipelines;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::filesystem::path file = entry.path().filename();
    if (file.extension() == kSuffix) pipelines.push_back(file.stem().string());
  }
  std::sort(pipelines.begin(), pipelines.end());
  return pipelines;
}

std::optional<ControlPeer> control_peer(int socket) noexcept {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return ControlPeer{credentials.pid, credentials.uid};
}

}  // namespace reel
