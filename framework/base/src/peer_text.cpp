#include <reel/base/peer_text.hpp>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include <reel/base/text.hpp>

namespace reel {
namespace {

// A number that only this PID namespace has for as long as it lives; 0 where /proc does not tell.
std::uint64_t pid_namespace() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

uid_t overflow_user() {
  std::ifstream file("/proc/sys/kernel/overflowuid");
  uid_t user = 0;
  return file >> user ? user : 65534;
}

// Every user has a number here, as on a host.
bool maps_every_user() {
  std::ifstream file("/proc/self/uid_map");
  std::uint64_t inside = 0, outside = 0, count = 0;
  constexpr std::uint64_t kAll = 4'294'967'295;
  return !(file >> inside >> outside >> count) || count == kAll;
}

struct Mark {
  std::uint64_t pid = 0, pid_namespace = 0;
  std::string host;
};

// Of "PID" alone nothing more is known.
Mark read_mark(const std::string& text) {
  Mark mark;
  std::istringstream words(text);
  if (words >> mark.pid && words >> mark.pid_namespace) words >> mark.host;
  return mark;
}

}  // namespace

std::string process_text(pid_t pid) {
  return pid > 0 ? fmt::format("process {}", pid)
                 : "a process of another PID namespace (another container, or the host)";
}

std::string pid_text(pid_t pid) {
  return pid > 0 ? fmt::format("pid {}", pid) : "of another PID namespace";
}

std::string user_text(uid_t user) {
  if (user != overflow_user() || maps_every_user()) return fmt::format("user {}", user);
  return fmt::format("user {} (which here is any user that this user namespace does not map)", user);
}

std::string own_mark() {
  utsname system{};
  (void)::uname(&system);
  return fmt::format("{} {} {}", ::getpid(), pid_namespace(), system.nodename);
}

bool marked_here(const std::string& text) {
  const Mark mark = read_mark(text);
  return mark.pid_namespace == 0 || mark.pid_namespace == pid_namespace();
}

std::string marked_text(const std::string& text) {
  const Mark mark = read_mark(text);
  if (mark.pid == 0) return "an unknown process";
  if (marked_here(text)) return fmt::format("process {}", mark.pid);
  return fmt::format("process {} of another PID namespace (host \"{}\")", mark.pid, printable(mark.host));
}

}  // namespace reel
