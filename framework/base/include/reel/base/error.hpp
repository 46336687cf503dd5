// The one exception of Reel: thrown by set-up calls (open, create, configure), never by per-frame calls.
// A message names the thing, the value, the limit and the fix.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace reel {

enum class ErrorCode {
  bad_argument,   // a value the caller passed is out of its range
  bad_config,     // a pipeline file or option is wrong
  not_found,      // no such stream, file, plugin
  in_use,         // somebody else holds the name
  refused,        // the other side said no (admission, user, policy)
  no_memory,      // memory could not be reserved
  no_permission,  // the operating system said no
  io,             // a system call failed otherwise
  protocol,       // bytes from a peer or a file are not what they must be
  version,        // the other side speaks another version
  timeout,        // nothing happened in the time allowed
  closed,         // the stream or connection is over
  plugin,         // a plugin could not be loaded or failed
  unsupported,    // not available on this system or in this build
  internal        // a bug of ours
};

/// Stable lower-case name of `code`, as printed in JSON ("not_found").
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// Thread-safe to copy, as every exception. `what()` is "where: message", or the message alone when `where`
/// is empty. Control characters in either, which a file or a peer may have brought in, are escaped.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string where = {});

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// The message without its place.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// A file and line ("faces.yaml:12"), a stream, a stage; may be empty.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }

 private:
  ErrorCode code_;
  std::string message_;
  std::string where_;
};

/// Throws Error{io | no_memory | no_permission | not_found, "<action>: <strerror(errno_value)>"}.
[[noreturn]] void throw_errno(int errno_value, std::string_view action, std::string where = {});

}  // namespace reel
