#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <reel_test/process_facts.hpp>
#include <unistd.h>

namespace reel_test {

namespace {

namespace fs = std::filesystem;

std::string proc(pid_t pid, const char* entry) {
  return "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/" + entry;
}

std::size_t status_number(pid_t pid, const std::string& key) {
  std::ifstream file(proc(pid, "status"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::stoul(line.substr(key.size()));
  }
  return 0;
}

}  // namespace

std::size_t open_descriptors(pid_t pid) {
  return descriptor_targets(pid).size();
}

std::vector<std::string> descriptor_targets(pid_t pid) {
  std::vector<std::string> targets;
  const std::string folder = proc(pid, "fd");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    // The descriptor of this very listing shows as the folder itself.
    if (!gone && !target.string().ends_with("/fd")) targets.push_back(target);
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

std::size_t resident_bytes(pid_t pid) {
  return status_number(pid, "VmRSS:") * 1024;
}

std::size_t thread_count(pid_t pid) {
  return status_number(pid, "Threads:");
}

std::vector<Mapping> mappings_of(const std::string& part, pid_t pid) {
  std::vector<Mapping> found;
  std::ifstream file(proc(pid, "maps"));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Mapping mapping;
    char dash = 0;
    std::string offset, device, inode;
    words >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.permissions >> offset >> device >>
        inode >> std::ws;
    std::getline(words, mapping.path);
    if (mapping.path.find(part) != std::string::npos) found.push_back(mapping);
  }
  return found;
}

std::vector<std::string> shm_entries(const std::string& part) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator("/dev/shm")) {
    if (entry.path().filename().string().find(part) != std::string::npos)
      names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

char process_state(pid_t pid) {
  std::ifstream file(proc(pid, "stat"));
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');  // the program's name may hold anything
  return end == std::string::npos || end + 2 >= line.size() ? '\0' : line[end + 2];
}

bool process_alive(pid_t pid) {
  const char state = process_state(pid);
  return state != '\0' && state != 'Z';
}

}  // namespace reel_test
