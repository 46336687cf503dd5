// Who may reach a stream's socket: the file modes behind WriterOptions::allowed_users and allowed_groups. The
// handshake checks every peer all the same; this only lets those who are listed get so far. Set-up, the
// writer's thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include <reel/channel/options.hpp>

namespace reel {

/// How a stream's socket is made.
struct SocketAccess {
  mode_t mode = 0600;
  std::optional<gid_t> group;  // given to this group with mode 0660 where that may be done, instead of `mode`
};

/// Opens `directory` (ours) for those whom `options` list, as far as needed, and says how the socket in it
/// must be made. Throws Error{no_permission} naming who cannot enter which directory, and the fix.
[[nodiscard]] SocketAccess open_to_listed(const std::string& directory, const std::string& stream,
                                          const WriterOptions& options);

}  // namespace reel
