// Who listens on a TCP port, for the message that says it is taken. Reads /proc. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

/// "process 1234 (nginx)", or "another process" where /proc does not tell (a process of another user).
[[nodiscard]] std::string port_owner(std::uint16_t port);
