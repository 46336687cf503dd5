// Bytes at the socket at which a recording takes calls, from whoever may connect: each is answered or let go
// of, the next one is served as ever, and nothing of it stays in memory.
#include "fuzz.hpp"

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <reel/base/unique_fd.hpp>
#include <reel/base/unix_address.hpp>

#include "events/event_address.hpp"
#include "events/event_server.hpp"

using reel::fuzz::require;

namespace {

constexpr std::size_t kLongestAnswer = 64 * 1024;
constexpr std::size_t kFirstRuns = 1000;
constexpr std::size_t kMostGrown = 4 << 20;

struct Recording {
  Recording() { server.emplace(record::EventServer::Settings{directory(), "", "", 60'000}, desk); }
  ~Recording() {
    server.reset();
    ::rmdir(directory().c_str());
  }
  static const std::string& directory() {
    static const std::string made = [] {
      std::string name = "/tmp/reel-fuzz-XXXXXX";
      require(::mkdtemp(name.data()) != nullptr, "there is room in /tmp");
      return name;
    }();
    return made;
  }
  record::EventDesk desk{"fuzz"};
  std::optional<record::EventServer> server;
};

// All that it answers to `request`; the client says that it sends no more.
std::string ask(std::string_view request) {
  const reel::UnixAddress address(Recording::directory(), record::event_socket_file("fuzz"));
  const reel::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  require(socket && ::connect(socket.get(), address.get(), address.size()) == 0, "it takes connections");
  while (!request.empty()) {
    const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it has answered, and listens no more
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(socket.get(), SHUT_WR);
  std::string answer;
  std::array<char, 4096> buffer{};
  for (ssize_t got; (got = ::recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0;)
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  return answer;
}

// Zero under a sanitizer, which has an allocator of its own and looks for what is lost itself.
std::size_t bytes_in_use() {
  return ::mallinfo2().uordblks;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Recording recording;
  static std::size_t runs = 0, before = 0;
  const std::string answer = ask({reinterpret_cast<const char*>(data), size});
  require(answer.size() < kLongestAnswer, "an answer is short");
  require(answer.empty() || answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.1 4") ||
              answer.starts_with("HTTP/1.1 503"),
          "an answer says what was wrong, and it is never the server");
  for (const auto& posted : recording.desk.take()) record::check_event_call(posted.call);
  if (++runs == kFirstRuns) before = bytes_in_use();
  require(runs <= kFirstRuns || bytes_in_use() < before + kMostGrown, "memory does not grow");
  return 0;
}
