#include <reel/base/whole_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>

namespace reel {
namespace {

struct Place {
  const std::string& path;
  std::string_view setting;
};

[[noreturn]] void fail(int why, const std::string& action, const Place& place) {
  const bool refused = why == EACCES || why == EPERM || why == EROFS;
  const bool full = why == ENOSPC || why == EDQUOT;
  throw Error(refused ? ErrorCode::no_permission : ErrorCode::io,
              fmt::format("{}: {}; {}set {} to {}", action, std::strerror(why), full ? "make room, or " : "",
                          place.setting, full ? "another disk" : "a place that can be written"),
              place.path);
}

void write_all(int fd, std::span<const std::byte> bytes, const Place& place) {
  for (std::span<const std::byte> left = bytes; !left.empty();) {
    const ssize_t written = ::write(fd, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno, "writing " + bytes_text(bytes.size()), place);
    left = left.subspan(static_cast<std::size_t>(written));
  }
}

std::string unfinished_path(const std::string& path) {
  // Processes of two containers may have one number.
  static const auto lot = std::random_device{}();
  return fmt::format("{}.part{}-{:08x}", path, ::getpid(), lot);
}

UniqueFd create(const std::string& unfinished, const Place& place) {
  ::unlink(unfinished.c_str());  // of a call before that was cut short
  UniqueFd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) fail(errno, "creating the file", place);
  return file;
}

}  // namespace

void write_whole_file(const std::string& path, std::span<const std::byte> bytes, std::string_view setting) {
  const Place place{path, setting};
  const std::string unfinished = unfinished_path(path);
  try {
    const UniqueFd file = create(unfinished, place);
    write_all(file.get(), bytes, place);
    if (::rename(unfinished.c_str(), path.c_str()) != 0) fail(errno, "renaming the finished file", place);
  } catch (const Error&) {
    ::unlink(unfinished.c_str());
    throw;
  }
}

void check_whole_file(const std::string& path, std::string_view setting) {
  const Place place{path, setting};
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode))
    throw Error(ErrorCode::io,
                fmt::format("there is something else than a file: set {} to another place", setting), path);
  const std::string unfinished = unfinished_path(path);
  create(unfinished, place).reset();
  ::unlink(unfinished.c_str());
}

}  // namespace reel
