// Where the sockets of streams lie. Thread-safe; reads the environment.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace reel {

inline constexpr std::size_t kMaxStreamName = 63;

/// `[a-z0-9][a-z0-9._-]{0,62}`
[[nodiscard]] bool valid_stream_name(std::string_view name) noexcept;
/// Throws Error{bad_argument} that names the value and the rule.
void check_stream_name(std::string_view name);

/// The directory this process writes to: $REEL_RUNTIME_DIR, else $XDG_RUNTIME_DIR/reel, else /run/reel for
/// root, else /tmp/reel-UID. Made with mode 0700 when missing. Throws Error{no_permission} when it belongs to
/// another user or others may write to it, naming owner, mode and the fix. $REEL_RUNTIME_DIR is a path from
/// /: this and the next two throw Error{bad_argument} for a relative one.
[[nodiscard]] std::string writable_runtime_dir();

/// A directory in which readers and tools look for streams.
struct RuntimeDir {
  enum class State {
    usable,
    unlisted,  // streams whose name one knows can be joined, but one may not see which there are
    missing,   // nobody has written there yet
    refused    // not looked into
  };
  std::string path;
  uid_t owner = 0;  // whoever listens at a socket in it must be this user
  State state = State::missing;
  std::string objection;  // why it is unlisted or refused, and what to do: a sentence that names the path
};

/// All of them, each without a '/' at its end or ".." in it, in this order: $REEL_RUNTIME_DIR alone, or else
/// the others that writable_runtime_dir() tries. One of another user (root aside) is looked into only when
/// $REEL_RUNTIME_DIR names it and nobody but its owner and root could have put another in its place.
[[nodiscard]] std::vector<RuntimeDir> runtime_dirs();

/// Those that are not refused, for messages: "in /run/reel, /tmp/reel-0 (which does not exist)"; or
/// "nowhere".
[[nodiscard]] std::string where_looked();

/// Throws Error{in_use}, naming the process, when one writes `stream` in `directory` now.
void check_not_written(const std::string& directory, const std::string& stream);

/// Removes sockets and locks of streams in `directory` whose writer is dead, and named memory of dead writers
/// wherever they were; returns the names cleaned.
std::vector<std::string> sweep_runtime_dir(const std::string& directory);

}  // namespace reel
