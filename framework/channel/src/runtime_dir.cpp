#include <reel/channel/runtime_dir.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <reel/base/error.hpp>
#include <reel/base/peer_text.hpp>

#include "name_lock.hpp"

namespace reel {
namespace {

constexpr const char* kVariable = "REEL_RUNTIME_DIR";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// $REEL_RUNTIME_DIR in the one spelling that every process gives it, or empty. Names of memory are made of
// it.
std::string named_directory() {
  const std::string value = environment(kVariable);
  if (value.empty()) return {};
  // Processes of one pipeline need not have one working directory: each would look elsewhere.
  if (value.front() != '/')
    throw Error(
        ErrorCode::bad_argument,
        fmt::format("REEL_RUNTIME_DIR is \"{}\", a relative path: give the whole path, from /", value));
  std::string path = std::filesystem::path(value).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// In order of preference; existing or not.
std::vector<std::string> candidates() {
  const std::string named = named_directory();
  if (!named.empty()) return {named};
  std::vector<std::string> result;
  const std::string session = environment("XDG_RUNTIME_DIR");
  if (session.starts_with('/'))
    result.push_back(session + "/reel");  // its specification: ignore a relative one
  if (::geteuid() == 0) result.emplace_back("/run/reel");
  result.push_back(fmt::format("/tmp/reel-{}", ::geteuid()));
  return result;
}

std::string in_words(const std::string& path) {
  const bool named = path == named_directory();
  return fmt::format("the runtime directory \"{}\"{}", path, named ? " ($REEL_RUNTIME_DIR)" : "");
}

std::string mode_text(const struct stat& status) {
  return fmt::format("mode {:04o}", status.st_mode & 07777);
}

bool others_may_write(const struct stat& status) {
  return (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

// What is wrong with a directory whoever it belongs to; empty when nothing is.
std::string fault_of(const struct stat& status) {
  if (!S_ISDIR(status.st_mode)) return "is not a directory";
  if (others_may_write(status)) return fmt::format("can be written to by others ({})", mode_text(status));
  return {};
}

// How others than root, us and `owner` could put another directory in the place of `path`; empty when they
// could not.
std::string unsafe_parent(const std::string& path, uid_t owner) {
  std::error_code failed;
  std::filesystem::path parent = std::filesystem::absolute(path, failed).lexically_normal();
  while (parent.has_relative_path()) {
    parent = parent.parent_path();
    const auto is = [&](const std::string& what) {
      return fmt::format("\"{}\" above it {}", parent.string(), what);
    };
    struct stat status {};
    if (::lstat(parent.c_str(), &status) != 0)
      return is(fmt::format("cannot be looked at ({})", std::strerror(errno)));
    if (!S_ISDIR(status.st_mode)) return is("is a link: give the path that it leads to");
    if (status.st_uid != 0 && status.st_uid != owner && status.st_uid != ::geteuid())
      return is(fmt::format("belongs to {}", user_text(status.st_uid)));
    if (others_may_write(status) && (status.st_mode & S_ISVTX) == 0)
      return is(fmt::format("can be written to by others ({})", mode_text(status)));
  }
  return {};
}

// Why streams in the directory are not to be trusted, and what to do; empty when they are.
std::string distrust_of(const std::string& path, const struct stat& status) {
  const std::string fault = fault_of(status);
  if (!fault.empty())
    return fmt::format(
        "{}: {}set REEL_RUNTIME_DIR to a directory that its owner alone can change", fault,
        S_ISDIR(status.st_mode) ? fmt::format("take that from them (chmod go-w {}), or ", path) : "");
  if (status.st_uid == ::geteuid() || status.st_uid == 0) return {};
  if (path != named_directory())
    return fmt::format(
        "belongs to {}, not to {}: remove it, or set REEL_RUNTIME_DIR to it if you "
        "trust that user",
        user_text(status.st_uid), user_text(::geteuid()));
  const std::string unsafe = unsafe_parent(path, status.st_uid);
  if (unsafe.empty()) return {};
  return fmt::format("belongs to {}, and others could put another in its place: {}", user_text(status.st_uid),
                     unsafe);
}

RuntimeDir looked_at(const std::string& path) {
  using State = RuntimeDir::State;
  RuntimeDir directory{path, 0, State::usable, {}};
  const auto object = [&](State state, const std::string& why) {
    directory.state = state;
    directory.objection = in_words(path) + " " + why;
  };
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      directory.state = State::missing;
    else
      object(State::refused, fmt::format("cannot be looked at ({}): have the owner of the directories above "
                                         "it let you through, or set REEL_RUNTIME_DIR to another",
                                         std::strerror(errno)));
    return directory;
  }
  directory.owner = status.st_uid;
  const std::string distrust = distrust_of(path, status);
  const auto may = [&](int what) { return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0; };
  const std::string us = fmt::format("{} (it is of {}, {})", user_text(::geteuid()), user_text(status.st_uid),
                                     mode_text(status));
  if (!distrust.empty())
    object(State::refused, distrust);
  else if (!may(X_OK))
    object(State::refused,
           fmt::format("is closed to {}: its streams' writer must list that user or its group", us));
  else if (!may(R_OK))
    object(State::unlisted, fmt::format("does not show its streams to {}: give the name of one, or have its "
                                        "owner let you list them (chmod go+r)",
                                        us));
  return directory;
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
      if (!named_directory().empty()) throw_errno(error, fmt::format("cannot make {}", in_words(path)));
      continue;
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
      throw_errno(errno, fmt::format("cannot look at {}", in_words(path)));
    std::string wrong = fault_of(status);
    if (status.st_uid != ::geteuid())
      wrong = fmt::format("belongs to {}, not to {}", user_text(status.st_uid), user_text(::geteuid()));
    if (!wrong.empty())
      throw Error(ErrorCode::no_permission,
                  fmt::format("{} {}: make it yours with mode 0700, or set REEL_RUNTIME_DIR to a private "
                              "directory",
                              in_words(path), wrong));
    return path;
  }
  throw Error(ErrorCode::no_permission,
              "no runtime directory can be made: set REEL_RUNTIME_DIR to a private directory");
}

std::vector<RuntimeDir> runtime_dirs() {
  std::vector<RuntimeDir> result;
  for (const std::string& path : candidates()) result.push_back(looked_at(path));
  return result;
}

std::string where_looked() {
  std::vector<std::string> looked;
  for (const RuntimeDir& directory : runtime_dirs()) {
    if (directory.state == RuntimeDir::State::refused) continue;
    const bool missing = directory.state == RuntimeDir::State::missing;
    looked.push_back(directory.path + (missing ? " (which does not exist)" : ""));
  }
  return looked.empty() ? "nowhere" : fmt::format("in {}", fmt::join(looked, ", "));
}

void check_not_written(const std::string& directory, const std::string& stream) {
  const NameLock taken_for_a_moment(directory, stream);
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
  sweep_memory();
  return cleaned;
}

}  // namespace reel
