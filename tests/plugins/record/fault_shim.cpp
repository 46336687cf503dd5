// Loaded into a stage before the C library (LD_PRELOAD): its wall clock is set, and its disk is slow, as
// files say that the test writes meanwhile. The machine's own are everybody's.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>

namespace {

constexpr long long kSecond_ns = 1'000'000'000;

std::atomic<long long> busy_until_ns{0};  // one disk for all threads

/// The number in the file that the variable names; 0 where there is none.
long long number_in(const char* variable) {
  const char* const path = std::getenv(variable);
  if (path == nullptr) return 0;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[32] = {};
  const ssize_t count = ::read(file, text, sizeof text - 1);
  ::close(file);
  return count > 0 ? std::atoll(text) : 0;
}

void be_slow(int file, size_t bytes) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) return;
  const long long bytes_per_second = number_in("REEL_TEST_DISK");
  if (bytes_per_second <= 0) return;
  timespec time{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  const long long now_ns = time.tv_sec * kSecond_ns + time.tv_nsec;
  const long long takes_ns = static_cast<long long>(bytes) * kSecond_ns / bytes_per_second;
  long long before_ns = busy_until_ns.load(), until_ns = 0;
  do {
    until_ns = std::max(before_ns, now_ns) + takes_ns;
  } while (!busy_until_ns.compare_exchange_weak(before_ns, until_ns));
  // In slices: it may become fast meanwhile.
  while (number_in("REEL_TEST_DISK") > 0) {
    ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    const long long left_ns = until_ns - (time.tv_sec * kSecond_ns + time.tv_nsec);
    if (left_ns <= 0) return;
    const timespec slice{0, std::min(left_ns, kSecond_ns / 20)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &slice, nullptr);
  }
  busy_until_ns.store(0);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto status = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (clock != CLOCK_REALTIME || status != 0) return status;
  time->tv_sec += number_in("REEL_TEST_CLOCK");  // seconds ahead
  return 0;
}

ssize_t write(int file, const void* bytes, size_t count) {
  be_slow(file, count);
  return ::syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t place) {
  be_slow(file, count);
  return ::syscall(SYS_pwrite64, file, bytes, count, place);
}
}
