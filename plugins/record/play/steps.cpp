#include "play/steps.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>

namespace record {

// Open for writing too, so that it has no end between one `echo >PIPE` and the next.
Steps::Steps(const std::string& path) : pipe_(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
  struct stat about {};
  if (!pipe_) reel::throw_errno(errno, "the option steps: cannot open the named pipe", path);
  if (::fstat(pipe_.get(), &about) != 0 || !S_ISFIFO(about.st_mode))
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the option steps: this is no named pipe: mkfifo makes one", path);
}

bool Steps::take(int wait_ms) {
  if (lines_ == 0) {
    pollfd polled{pipe_.get(), POLLIN, 0};
    if (::poll(&polled, 1, wait_ms) <= 0) return false;
    std::array<char, 256> bytes{};
    const ssize_t count = ::read(pipe_.get(), bytes.data(), bytes.size());
    if (count <= 0) return false;
    lines_ += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.begin() + count, '\n'));
    if (lines_ == 0) return false;
  }
  --lines_;
  return true;
}

}  // namespace record
