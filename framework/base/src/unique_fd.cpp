#include <reel/base/unique_fd.hpp>

#include <unistd.h>

namespace reel {

void UniqueFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);  // on Linux the descriptor is gone whatever close() returns
}

}  // namespace reel
