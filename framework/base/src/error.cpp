#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

#include <cerrno>
#include <system_error>

namespace reel {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::bad_argument: return "bad_argument";
    case ErrorCode::bad_config: return "bad_config";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::in_use: return "in_use";
    case ErrorCode::refused: return "refused";
    case ErrorCode::no_memory: return "no_memory";
    case ErrorCode::no_permission: return "no_permission";
    case ErrorCode::io: return "io";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::version: return "version";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::closed: return "closed";
    case ErrorCode::plugin: return "plugin";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorCode code, const std::string& message, std::string where)
    : std::runtime_error(printable(where.empty() ? message : where + ": " + message)),
      code_(code),
      message_(printable(message)),
      where_(printable(where)) {}

namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
    case ENOMEM:
    case ENOSPC:
    case EDQUOT: return ErrorCode::no_memory;
    case EACCES:
    case EPERM: return ErrorCode::no_permission;
    case ENOENT:
    case ENOTDIR: return ErrorCode::not_found;
    case EADDRINUSE:
    case EEXIST: return ErrorCode::in_use;
    default: return ErrorCode::io;
  }
}

}  // namespace

void throw_errno(int errno_value, std::string_view action, std::string where) {
  throw Error(code_of(errno_value), std::string(action) + ": " + std::generic_category().message(errno_value),
              std::move(where));
}

}  // namespace reel
