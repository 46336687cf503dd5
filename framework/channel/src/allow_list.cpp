#include "allow_list.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <reel/base/error.hpp>

namespace reel {
namespace {

// Those that do not get in anyway.
std::vector<uid_t> strangers_of(const WriterOptions& options) {
  std::vector<uid_t> strangers;
  std::copy_if(options.allowed_users.begin(), options.allowed_users.end(), std::back_inserter(strangers),
               [](uid_t user) { return user != 0 && user != ::geteuid(); });
  return strangers;
}

// One who cannot enter the directory, for a message; empty when all can. An access control list is its
// owner's own affair: only the system could say what comes of it.
std::string shut_out(const std::string& path, const struct stat& status, const WriterOptions& options) {
  if ((status.st_mode & S_IXOTH) != 0) return {};
  if (options.allow_everyone) return "everyone";
  if (::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0) return {};
  for (const uid_t user : strangers_of(options)) {
    if (user != status.st_uid || (status.st_mode & S_IXUSR) == 0) return fmt::format("user {}", user);
  }
  for (const gid_t group : options.allowed_groups) {
    if (group != status.st_gid || (status.st_mode & S_IXGRP) == 0) return fmt::format("group {}", group);
  }
  return {};
}

struct stat look_at(const std::string& path, const std::string& stream) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw_errno(errno, fmt::format("cannot look at \"{}\"", path), stream);
  return status;
}

}  // namespace

SocketAccess open_to_listed(const std::string& directory, const std::string& stream,
                            const WriterOptions& options) {
  const bool users = !strangers_of(options).empty();
  if (!users && options.allowed_groups.empty() && !options.allow_everyone) return {};
  // For its group too: who is of that group is not asked as one of the others.
  const struct stat own = look_at(directory, stream);
  if (!shut_out(directory, own, options).empty() &&
      ::chmod(directory.c_str(), (own.st_mode & 07777) | S_IXGRP | S_IXOTH) != 0)
    throw_errno(errno,
                fmt::format("cannot open the runtime directory \"{}\" to those the stream allows", directory),
                stream);
  std::filesystem::path place = std::filesystem::absolute(directory).lexically_normal();
  for (; place.has_relative_path(); place = place.parent_path()) {
    const struct stat status = look_at(place.string(), stream);
    const std::string who = shut_out(place.string(), status, options);
    if (who.empty()) continue;
    throw Error(
        ErrorCode::no_permission,
        fmt::format("{} is allowed to read it and cannot: \"{}\" (mode {:04o}), where the runtime "
                    "directory \"{}\" lies, is closed to others; open it (chmod o+x), or set "
                    "REEL_RUNTIME_DIR, for the writer and its readers, to a directory that all of them "
                    "can enter",
                    who, place.string(), status.st_mode & 07777, directory),
        stream);
  }
  SocketAccess access{0666, std::nullopt};
  if (!users && !options.allow_everyone && options.allowed_groups.size() == 1)
    access.group = options.allowed_groups.front();
  return access;
}

}  // namespace reel
