// Programs in namespaces of their own (users, PIDs, mounts, IPC, network, host's name), as in containers:
// what two of them share is what a test says. Made by the kernel's own calls; where it refuses,
// missing_containers() says so.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <reel_test/child_process.hpp>

namespace reel_test {

/// A directory of the test's, and where it is seen inside.
struct SharedDirectory {
  std::string source, place;
  bool read_only = false;
};

struct ContainerOptions {
  std::string host = "container";       // its name
  std::vector<SharedDirectory> shared;  // beside programs, this build and devices, all that it sees
  std::optional<std::string> memory;    // its /dev/shm; none: one of its own
  std::optional<uid_t> root_user;       // who its root is outside, group alike; none: whoever runs the test
  bool user_namespace = true;           // false: users are those of the test (takes root)
};

/// Why there can be no containers on this machine; empty when there can.
[[nodiscard]] std::string missing_containers(const ContainerOptions& options = {});

/// A program in a container of its own, of which it is process 1. Killing it is container_pid()'s affair.
[[nodiscard]] ChildProcess start_contained(const ContainerOptions& options, const std::string& program,
                                           const ChildProcess::Arguments& arguments,
                                           const ChildProcess::Environment& environment = {});
/// The same for a Role of this test program.
[[nodiscard]] ChildProcess start_contained_role(const ContainerOptions& options, const std::string& role,
                                                const ChildProcess::Arguments& arguments,
                                                const ChildProcess::Environment& environment = {});
/// Process 1 of that container, as this process sees it, above 1. Throws where it has none (any more).
[[nodiscard]] pid_t container_pid(const ChildProcess& contained);

}  // namespace reel_test
