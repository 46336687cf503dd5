// Where the sockets of streams lie. Thread-safe; reads the environment.
#pragma once

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
/// another user or others may write to it, naming owner, mode and the fix.
[[nodiscard]] std::string writable_runtime_dir();

/// Those that exist among all of these: where readers and tools look, in this order.
[[nodiscard]] std::vector<std::string> runtime_dirs();

/// Removes sockets, locks and named memory of streams in `directory` whose writer is dead; returns the names
/// cleaned.
std::vector<std::string> sweep_runtime_dir(const std::string& directory);

}  // namespace reel
