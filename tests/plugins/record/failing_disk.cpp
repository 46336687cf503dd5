#include "failing_disk.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reel_test {
namespace {

std::mutex mutex;
DiskFaults now{"", 0, 0, 0, 0, 0};
long failed = 0;
std::map<std::string, long> synced;

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

bool concerns(int file) {
  return !now.files.empty() && path_of(file).find(now.files) != std::string::npos;
}

int fail(int why) {
  ++failed;
  errno = why;
  return -1;
}

/// What the C library has under this name.
template <typename Call>
Call real(const char* name) {
  return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void fail_disk(const DiskFaults& faults) {
  const std::lock_guard lock(mutex);
  now = faults;
  failed = 0;
}

void mend_disk() {
  const std::lock_guard lock(mutex);
  now = DiskFaults{"", 0, 0, 0, 0, 0};
}

long failures() {
  const std::lock_guard lock(mutex);
  return failed;
}

long syncs_of(const std::string& path) {
  const std::lock_guard lock(mutex);
  return synced[path];
}

}  // namespace reel_test

// In place of the C library's, for the whole program.
extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  using namespace reel_test;
  {
    const std::lock_guard lock(mutex);
    if (now.write != 0 && concerns(file)) {
      if (now.written < static_cast<long>(size)) return fail(now.write);
      now.written -= static_cast<long>(size);
    }
    struct stat facts {};
    if (now.end != 0 && offset < 100 && ::fstat(file, &facts) == 0 && facts.st_size > 1000 && concerns(file))
      return fail(now.end);
  }
  return real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(file, bytes, size, offset);
}

int fdatasync(int file) {
  using namespace reel_test;
  {
    const std::lock_guard lock(mutex);
    if (now.sync != 0 && concerns(file)) return fail(now.sync);
    ++synced[path_of(file)];
  }
  return real<int (*)(int)>("fdatasync")(file);
}

int fallocate(int file, int mode, off_t offset, off_t size) {
  using namespace reel_test;
  {
    const std::lock_guard lock(mutex);
    if (now.allocate != 0 && concerns(file)) return fail(now.allocate);
  }
  return real<int (*)(int, int, off_t, off_t)>("fallocate")(file, mode, offset, size);
}
}
