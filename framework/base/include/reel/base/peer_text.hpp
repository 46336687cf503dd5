// How messages name a process or a user of which the kernel told, wherever its namespaces are. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

namespace reel {

/// "process 12"; of pid 0, which the kernel says of one that this PID namespace does not see: "a process of
/// another PID namespace (another container, or the host)".
[[nodiscard]] std::string process_text(pid_t pid);
/// "pid 12", or "of another PID namespace": to stand in brackets behind a name.
[[nodiscard]] std::string pid_text(pid_t pid);

/// "user 1000"; of the one number that stands, in a user namespace, for every user that it does not map: that
/// as well.
[[nodiscard]] std::string user_text(uid_t user);

/// What this process leaves about itself for others to read: its pid, its PID namespace, its host's name.
[[nodiscard]] std::string own_mark();
/// The process that left such a mark: "process 12", and where it was of another PID namespace, that and its
/// host's name. A mark may hold anything: what cannot be read is said to be unknown.
[[nodiscard]] std::string marked_text(const std::string& mark);
/// True when the mark is of this PID namespace, or does not say: its pid can be looked for.
[[nodiscard]] bool marked_here(const std::string& mark);

}  // namespace reel
