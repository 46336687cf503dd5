#include "reserve.hpp"

#include "huge_pages.hpp"

#include <cerrno>
#include <csignal>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/shm/memory_limits.hpp>

namespace reel {

void check_memory_room(std::size_t bytes, const std::string& what) {
  const std::optional<MemoryRoom> room = memory_room();
  if (room && bytes > room->bytes) {
    throw Error(
        ErrorCode::no_memory,
        fmt::format(
            "{}: needs {}, but only {} are free within {}: use fewer or smaller slots, or raise the limit",
            what, bytes_text(bytes), bytes_text(room->bytes), room->limit));
  }
  // The kernel answers growth beyond this limit with SIGXFSZ, which kills.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur) {
    throw Error(ErrorCode::no_memory, fmt::format("{}: needs {}, but files of this process are limited to {} "
                                                  "(RLIMIT_FSIZE): raise it with ulimit -f",
                                                  what, bytes_text(bytes), bytes_text(limit.rlim_cur)));
  }
}

int reserve_pages(int fd, std::size_t bytes) noexcept {
  // A signal undoes all of an unfinished fallocate: under a profiler's timer a large one would never finish.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  make_huge_pages(fd, bytes);
  int error = 0;
  do {
    error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  } while (error == EINTR);
  // What the file got so far is given back; where not even that works, it goes with the file.
  if (error != 0) std::ignore = ::ftruncate(fd, 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error;
}

}  // namespace reel
