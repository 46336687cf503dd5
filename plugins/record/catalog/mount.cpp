#include "catalog/mount.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include <reel/base/error.hpp>

namespace record {

namespace {

bool is_mount_point(const std::string& path) {
  struct statx facts {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &facts) != 0) return false;
  if ((facts.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
    return (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  // Before Linux 5.8: another device than the directory above.
  struct statx above {};
  return ::statx(AT_FDCWD, (path + "/..").c_str(), 0, STATX_BASIC_STATS, &above) == 0 &&
         (above.stx_dev_major != facts.stx_dev_major || above.stx_dev_minor != facts.stx_dev_minor);
}

bool lies_below(const std::filesystem::path& path, const std::filesystem::path& top) {
  const std::filesystem::path relative = path.lexically_relative(top);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

void check_mount(const std::string& mount, const std::string& directory) {
  if (!is_mount_point(mount))
    throw reel::Error(reel::ErrorCode::not_found,
                      "nothing is mounted at " + mount +
                          ", which require_mount asks for: mount the disk, or leave require_mount out",
                      directory);
  std::error_code ignored;
  if (!lies_below(std::filesystem::weakly_canonical(directory, ignored),
                  std::filesystem::weakly_canonical(mount, ignored)))
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "the directory does not lie below " + mount +
                          ", which require_mount names: a disk mounted there does not hold it",
                      directory);
}

}  // namespace record
