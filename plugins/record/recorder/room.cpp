#include "recorder/room.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <reel/base/error.hpp>

namespace record {
namespace {

constexpr std::uint64_t kStep = 2 * 1024 * 1024;

}  // namespace

bool Room::ensure(std::uint64_t bytes) {
  return bytes <= taken_ || take(bytes + kStep) || take(bytes);
}

bool Room::take(std::uint64_t bytes) {
  int status = 0;
  do {
    status = ::fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(taken_),
                         static_cast<off_t>(bytes - taken_));
  } while (status != 0 && errno == EINTR);
  if (status != 0 && errno == EOPNOTSUPP) {
    // Then the best that can be known is what is free now.
    struct statvfs facts {};
    if (::fstatvfs(file_, &facts) != 0) reel::throw_errno(errno, "cannot ask for the disk's free space");
    return std::uint64_t{facts.f_bavail} * facts.f_frsize > kStep;
  }
  if (status != 0 && (errno == ENOSPC || errno == EDQUOT)) return false;
  if (status != 0 && errno == EFBIG)
    throw reel::Error(
        reel::ErrorCode::io,
        "the file may not grow to " + std::to_string(bytes) +
            " bytes, for its file system or a limit of this process (ulimit -f): set segment_bytes "
            "to less");
  if (status != 0) reel::throw_errno(errno, "cannot take room on the disk");
  taken_ = bytes;
  return true;
}

void Room::trim() noexcept {
  struct stat facts {};
  // What cannot be given back costs room, nothing else.
  if (taken_ != 0 && ::fstat(file_, &facts) == 0 && ::ftruncate(file_, facts.st_size) != 0) return;
}

}  // namespace record
