#include "port_owner.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace fs = std::filesystem;

namespace {

constexpr const char* kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp writes states

// Inodes of the sockets that listen on the port. Lines: "sl local_address rem_address st tx:rx tr:when
// retrnsmt uid timeout inode".
std::set<std::string> listening_inodes(const char* table, std::uint16_t port) {
  std::set<std::string> inodes;
  std::ifstream lines(table);
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const std::size_t colon = local.rfind(':');
    if (colon == std::string::npos || state != kListening) continue;
    if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) inodes.insert("socket:[" + inode + "]");
  }
  return inodes;
}

bool holds_one_of(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code hidden;
  for (fs::directory_iterator entry(process / "fd", hidden), end; !hidden && entry != end;
       entry.increment(hidden)) {
    std::error_code gone;
    if (sockets.count(fs::read_symlink(entry->path(), gone).string()) != 0 && !gone) return true;
  }
  return false;
}

}  // namespace

std::string port_owner(std::uint16_t port) {
  std::set<std::string> sockets = listening_inodes("/proc/net/tcp", port);
  sockets.merge(listening_inodes("/proc/net/tcp6", port));
  std::error_code unreadable;
  for (fs::directory_iterator entry("/proc", unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    const std::string pid = entry->path().filename().string();
    if (sockets.empty() || pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds_one_of(entry->path(), sockets)) continue;
    std::string name;
    std::getline(std::ifstream(entry->path() / "comm"), name);
    return "process " + pid + (name.empty() ? "" : " (" + name + ")");
  }
  return "another process";
}
