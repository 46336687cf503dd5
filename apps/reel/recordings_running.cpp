#include "recordings_running.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/base/unix_address.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

constexpr const char* kSuffix = ".recording";    // of the sockets of plugins/record
constexpr std::size_t kLongestAnswer = 1 << 20;  // a hundred events with long notes
constexpr timeval kPatience{10, 0};

bool looked_into(const reel::RuntimeDir& directory) {
  return directory.state == reel::RuntimeDir::State::usable ||
         directory.state == reel::RuntimeDir::State::unlisted;
}

// Of our user, root or the directory's owner: nobody else's answer is believed.
bool answers_for(const reel::RuntimeDir& directory, int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == directory.owner || peer.uid == 0);
}

std::optional<reel::UniqueFd> connect_to(const reel::RuntimeDir& directory, const std::string& recording) {
  const reel::UnixAddress address(directory.path, recording + kSuffix);
  reel::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!address.fits() || !socket) return std::nullopt;
  if (::connect(socket.get(), address.get(), address.size()) != 0) return std::nullopt;
  if (!answers_for(directory, socket.get())) return std::nullopt;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return socket;
}

reel::UniqueFd connect_to(const std::string& recording) {
  for (const reel::RuntimeDir& directory : reel::runtime_dirs()) {
    if (!looked_into(directory)) continue;
    if (auto socket = connect_to(directory, recording)) return std::move(*socket);
  }
  const std::vector<std::string> running = running_recordings();
  const auto near = reel::nearest_name(recording, running);
  throw reel::Error(reel::ErrorCode::not_found,
                    fmt::format("no recording \"{}\" runs {}{}{}", recording, reel::where_looked(),
                                running.empty() ? "; none does" : "; there is " + reel::join_or(running),
                                near ? fmt::format(": did you mean \"{}\"?", *near) : ""));
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) reel::throw_errno(errno, "cannot tell the recording");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string receive_all(int socket) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (all.size() < kLongestAnswer) {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      throw reel::Error(reel::ErrorCode::timeout, "the recording does not answer");
    if (got <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return all;
}

// One request, one answer.
RecordingAnswer ask(const std::string& recording, const std::string& request) {
  if (recording.find('/') != std::string::npos)
    throw reel::Error(reel::ErrorCode::bad_argument,
                      fmt::format("\"{}\" is a path: give the recording's name", recording));
  const reel::UniqueFd socket = connect_to(recording);
  send_all(socket.get(), request);
  const std::string answer = receive_all(socket.get());
  RecordingAnswer result;
  constexpr std::string_view kStart = "HTTP/1.1 ";
  const std::size_t head = answer.find("\r\n\r\n");
  if (!answer.starts_with(kStart) || head == std::string::npos)
    throw reel::Error(reel::ErrorCode::protocol, "it did not answer as a recording does",
                      "recording " + recording);
  (void)std::from_chars(answer.data() + kStart.size(), answer.data() + answer.size(), result.status);
  result.body = answer.substr(head + 4);
  return result;
}

}  // namespace

std::vector<std::string> running_recordings() {
  std::vector<std::string> running;
  for (const reel::RuntimeDir& directory : reel::runtime_dirs()) {
    if (!looked_into(directory)) continue;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path, failed)) {
      const std::filesystem::path file = entry.path().filename();
      if (file.extension() == kSuffix && connect_to(directory, file.stem().string()))
        running.push_back(file.stem().string());
    }
  }
  std::sort(running.begin(), running.end());
  running.erase(std::unique(running.begin(), running.end()), running.end());
  return running;
}

RecordingAnswer ask_recording(const std::string& recording, const std::string& body) {
  return ask(recording, fmt::format("POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                    "application/json\r\nContent-Length: {}\r\nConnection: "
                                    "close\r\n\r\n{}",
                                    body.size(), body));
}

RecordingAnswer ask_for_events(const std::string& recording) {
  return ask(recording, "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}
