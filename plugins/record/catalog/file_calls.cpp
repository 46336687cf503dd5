#include "catalog/file_calls.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include <reel/base/error.hpp>

namespace record {

namespace {

struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

}  // namespace

void fail_file(int why, const std::string& action, const std::string& path) {
  std::string text = action + ": " + std::strerror(why);
  reel::ErrorCode code = reel::ErrorCode::io;
  if (why == ENOSPC || why == EDQUOT) {
    text += "; make room, or set retention so that the disk does not fill";
  } else if (why == EACCES || why == EPERM || why == EROFS) {
    code = reel::ErrorCode::no_permission;
    text += "; give this user the right to write there, or record into another directory";
  } else if (why == ENOENT) {
    code = reel::ErrorCode::not_found;
  }
  throw reel::Error(code, text, path);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void sync_file(const std::string& path) {
  const reel::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return;
  if (!file || ::fdatasync(file.get()) != 0) fail_file(errno, "making it safe on the disk", path);
}

void sync_directory(const std::string& path) {
  const reel::UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems (FAT over FUSE) know no such thing: EINVAL.
  if (!directory || (::fsync(directory.get()) != 0 && errno != EINVAL))
    fail_file(errno, "making the directory safe on the disk", path);
}

bool lock_file(const reel::UniqueFd& file, bool wait, const std::string& path) {
  struct flock range = whole_file();
  while (::fcntl(file.get(), wait ? F_OFD_SETLKW : F_OFD_SETLK, &range) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) fail_file(errno, "locking the file", path);
  }
  return true;
}

bool is_locked(const reel::UniqueFd& file) {
  struct flock range = whole_file();
  return ::fcntl(file.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace record
