// The socket in the runtime directory at which a recording takes calls. Called by EventServer. Single-thread.
#pragma once

#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

/// Listens; for its own user alone; in the place of what a dead one left. Throws Error{in_use} naming the
/// process that listens there.
[[nodiscard]] reel::UniqueFd listen_for_events(const std::string& directory, const std::string& recording);
void forget_event_socket(const std::string& directory, const std::string& recording) noexcept;
/// The other side is this user or root.
[[nodiscard]] bool peer_is_trusted(int socket) noexcept;

}  // namespace record
