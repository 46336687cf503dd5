#include <reel/base/unique_fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace reel {

void UniqueFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);  // on Linux the descriptor is gone whatever close() returns
}

void open_standard_descriptors() noexcept {
  // The lowest free number is given each time.
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0; fd = ::open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    return;
  }
}

}  // namespace reel
