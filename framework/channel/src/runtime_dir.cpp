#include <reel/channel/runtime_dir.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <reel/base/error.hpp>

#include "name_lock.hpp"

namespace reel {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// In order of preference; existing or not.
std::vector<std::string> candidates() {
  const std::string own = environment("REEL_RUNTIME_DIR");
  if (!own.empty()) return {own};
  std::vector<std::string> result;
  const std::string session = environment("XDG_RUNTIME_DIR");
  if (!session.empty()) result.push_back(session + "/reel");
  if (::geteuid() == 0) result.emplace_back("/run/reel");
  result.push_back(fmt::format("/tmp/reel-{}", ::geteuid()));
  return result;
}

// Empty when `path` is a directory that only its owner (us, or root) can write to; else what is wrong with
// it.
std::string objection(const std::string& path, bool to_write) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return fmt::format("cannot be looked at (error {})", errno);
  if (!S_ISDIR(status.st_mode)) return "is not a directory";
  const bool ours = status.st_uid == ::geteuid();
  if (!ours && (to_write || status.st_uid != 0))
    return fmt::format("belongs to user {}, not to user {}", status.st_uid, ::geteuid());
  if ((status.st_mode & 0022) != 0)
    return fmt::format("can be written to by others (mode {:04o})", status.st_mode & 07777);
  return {};
}

}  // namespace

bool valid_stream_name(std::string_view name) noexcept {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kMaxStreamName || !alphanumeric(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

void check_stream_name(std::string_view name) {
  if (!valid_stream_name(name))
    throw Error(
        ErrorCode::bad_argument,
        fmt::format(
            "\"{}\" cannot name a stream: 1 to {} characters of a-z, 0-9, '.', '_' and '-', the first a "
            "letter or digit",
            name, kMaxStreamName));
}

std::string writable_runtime_dir() {
  for (const std::string& path : candidates()) {
    // The parent is the system's; a missing one ($XDG_RUNTIME_DIR of another session) means: try the next.
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      const int error = errno;
      if (!environment("REEL_RUNTIME_DIR").empty())
        throw_errno(error, fmt::format("cannot make the runtime directory \"{}\" ($REEL_RUNTIME_DIR)", path));
      continue;
    }
    const std::string wrong = objection(path, true);
    if (!wrong.empty())
      throw Error(
          ErrorCode::no_permission,
          fmt::format(
              "the runtime directory \"{}\" {}: make it yours with mode 0700, or set REEL_RUNTIME_DIR to "
              "a private directory",
              path, wrong));
    return path;
  }
  throw Error(ErrorCode::no_permission,
              "no runtime directory can be made: set REEL_RUNTIME_DIR to a private directory");
}

std::vector<std::string> runtime_dirs() {
  std::vector<std::string> result;
  for (const std::string& path : candidates()) {
    if (objection(path, false).empty()) result.push_back(path);
  }
  return result;
}

std::vector<std::string> sweep_runtime_dir(const std::string& directory) {
  std::vector<std::string> cleaned;
  std::error_code failed;
  std::vector<std::string> streams;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::filesystem::path file = entry.path().filename();
    if (file.extension() == ".lock" && valid_stream_name(file.stem().string()))
      streams.push_back(file.stem().string());
  }
  std::sort(streams.begin(), streams.end());
  for (const std::string& stream : streams) {
    const auto lock = NameLock::try_take(directory, stream);
    if (!lock) continue;
    remove_leftovers(directory, stream);
    cleaned.push_back(stream);
  }
  return cleaned;
}

}  // namespace reel
