// What a process holds, as the kernel tells it: for tests that nothing leaks and nothing is writable that
// must not be.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

namespace reel_test {

/// Open descriptors of a process (0: this one).
[[nodiscard]] std::size_t open_descriptors(pid_t pid = 0);
/// What they are open on ("/dev/null", "socket:[123]"), sorted: for messages.
[[nodiscard]] std::vector<std::string> descriptor_targets(pid_t pid = 0);
/// Resident memory in bytes.
[[nodiscard]] std::size_t resident_bytes(pid_t pid = 0);
[[nodiscard]] std::size_t thread_count(pid_t pid = 0);

/// One line of /proc/PID/maps.
struct Mapping {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string permissions;  // "rw-s"
  std::string path;         // "/memfd:name (deleted)", "/dev/shm/name"
};
/// Those whose path contains `part`.
[[nodiscard]] std::vector<Mapping> mappings_of(const std::string& part, pid_t pid = 0);

/// Entries of /dev/shm whose name contains `part`, sorted.
[[nodiscard]] std::vector<std::string> shm_entries(const std::string& part = {});

/// The state letter of /proc/PID/stat: 'S' sleeping, 'T' stopped, 'Z' dead; 0 when there is no such process.
[[nodiscard]] char process_state(pid_t pid);
/// False when it is gone, or dead and not yet reaped.
[[nodiscard]] bool process_alive(pid_t pid);

}  // namespace reel_test
