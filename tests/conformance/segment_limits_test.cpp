// Too little memory, of every sort: refused when the segment is made, with the sum; never a fault or a kill
// later.
#include "segment_suite.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <reel/shm/memory_limits.hpp>

namespace {

using reel::ErrorCode;
using reel_test::ChildProcess;
using reel_test::expect_error;
namespace fs = std::filesystem;

constexpr std::size_t kLarge = std::size_t{64} << 20;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

class SegmentLimits : public SegmentSuite {};
INSTANTIATE_TEST_SUITE_P(EveryKind, SegmentLimits, ::testing::ValuesIn(reel::segment_kinds()), kind_name);

/// Gives the calling process a view of its own of the file systems; false where it may not (not root, or a
/// container).
bool private_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool small_shm(const char* options) {
  return private_mounts() && ::mount("reel-test", "/dev/shm", "tmpfs", 0, options) == 0;
}

constexpr int kCannot = 77;  // exit status of children that may not do what the test needs

TEST_P(SegmentLimits, MoreThanTheSystemHasIsRefusedWithTheSum) {
  const auto room = reel::memory_room();
  ASSERT_TRUE(room);
  expect_error(ErrorCode::no_memory, {name(), "needs", "free", "fewer or smaller slots"},
               [&] { (void)create(std::size_t{1} << 46); });
}

TEST_P(SegmentLimits, AFullSharedMemoryDirectoryIsAnErrorAndNeverAFault) {
  ChildProcess child = ChildProcess::call([&] {
    if (!small_shm("size=4m")) return kCannot;
    try {
      const auto segment = create(kLarge);
      std::memset(segment->data(), 1, segment->size());  // a promise that is not kept shows here
      return 0;
    } catch (const reel::Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      if (!reel_test::shm_entries().empty()) return 3;
      return error.code() == ErrorCode::no_memory ? 2 : 4;
    }
  });
  const reel_test::ExitStatus status = child.wait();
  if (status.code == kCannot) GTEST_SKIP() << "needs root to mount a small /dev/shm of its own";
  if (status.code == 0) return;  // this kind does not live there
  EXPECT_EQ(status.code, 2) << status << child.errors();
  for (const char* word : {"67 MB", "/dev/shm", "4.2 MB free", "remount,size", "memfd"}) {
    EXPECT_THAT(child.errors(), ::testing::HasSubstr(word));
  }
}

TEST_P(SegmentLimits, WithoutASharedMemoryDirectoryItWorksOrSaysSo) {
  ChildProcess child = ChildProcess::call([&] {
    if (!private_mounts() || ::mount("reel-test", "/dev", "tmpfs", 0, "size=1m") != 0) return kCannot;
    try {
      return create()->size() == kBytes ? 0 : 1;
    } catch (const reel::Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return error.code() == ErrorCode::unsupported ? 2 : 3;
    }
  });
  const reel_test::ExitStatus status = child.wait();
  if (status.code == kCannot) GTEST_SKIP() << "needs root to mount file systems of its own";
  if (status.code == 0) return;
  EXPECT_EQ(status.code, 2) << status << child.errors();
  EXPECT_THAT(child.errors(),
              ::testing::AllOf(::testing::HasSubstr("/dev/shm"), ::testing::HasSubstr("memfd")));
}

TEST_P(SegmentLimits, SharesWithoutProc) {
  ChildProcess child = ChildProcess::call([&] {
    const auto segment = create();
    (void)segment->seal(reel::Seal::size_and_writes);
    if (!private_mounts() || ::mount("reel-test", "/proc", "tmpfs", 0, nullptr) != 0) return kCannot;
    const auto mapped = backend().map(segment->share_read_only(), kBytes, false);
    segment->data()[1] = std::byte{2};
    return mapped->data()[1] == std::byte{2} && !reel::memory_room() ? 0 : 1;
  });
  const reel_test::ExitStatus status = child.wait();
  if (status.code == kCannot) GTEST_SKIP() << "needs root to hide /proc";
  EXPECT_TRUE(status.ok()) << status << child.errors();
}

TEST_P(SegmentLimits, AnAddressSpaceLimitIsNamed) {
  if (kAddressSanitizer) GTEST_SKIP() << "AddressSanitizer's own shadow exceeds any address space limit";
  expect_child_succeeds([&] {
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    const rlim_t limit = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kLarge / 2;
    const rlimit tight{limit, limit};
    if (::setrlimit(RLIMIT_AS, &tight) != 0) return 9;
    return throws_error(ErrorCode::no_memory, {name(), "67 MB", "RLIMIT_AS", "ulimit -v"},
                        [&] { (void)create(kLarge); });
  });
}

TEST_P(SegmentLimits, AFileSizeLimitIsNamedAndDoesNotKill) {
  expect_child_succeeds([&] {
    const rlimit tight{kLarge / 2, kLarge / 2};
    if (::setrlimit(RLIMIT_FSIZE, &tight) != 0) return 9;
    return throws_error(ErrorCode::no_memory, {name(), "67 MB", "RLIMIT_FSIZE", "ulimit -f"},
                        [&] { (void)create(kLarge); });
  });
}

TEST_P(SegmentLimits, RunningOutOfDescriptorsIsAnError) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizers built in with it need descriptors of their own to look at an object's type";
#endif
  expect_child_succeeds([&] {
    const rlimit tight{4, 4};
    if (::setrlimit(RLIMIT_NOFILE, &tight) != 0) return 9;
    while (::dup(STDERR_FILENO) >= 0) {
    }
    return throws_error(ErrorCode::io, {name()}, [&] { (void)create(); });
  });
}

/// A memory cgroup of this test, removed at its end. Version 1 or 2, wherever this process may make one.
class TestGroup {
 public:
  explicit TestGroup(std::size_t limit) {
    for (const auto& [parent, limit_file] : {std::pair("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                                             std::pair("/sys/fs/cgroup", "memory.max")}) {
      const fs::path folder = fs::path(parent) / reel_test::unique_name("reel-test");
      std::error_code refused;
      if (!fs::exists(fs::path(parent) / "cgroup.procs") || !fs::create_directory(folder, refused)) continue;
      folder_ = folder;
      std::ofstream(folder / limit_file) << limit;
      std::ifstream check(folder / limit_file);
      std::size_t now = 0;
      if (check >> now && now == limit) return;
      remove();
    }
  }
  ~TestGroup() { remove(); }
  TestGroup(const TestGroup&) = delete;
  TestGroup& operator=(const TestGroup&) = delete;

  [[nodiscard]] bool usable() const { return !folder_.empty(); }
  [[nodiscard]] std::string name() const { return folder_.filename(); }
  [[nodiscard]] bool enter() const {
    std::ofstream file(folder_ / "cgroup.procs");
    file << ::getpid() << std::flush;
    return file.good();
  }

 private:
  void remove() {
    if (!folder_.empty())
      (void)reel_test::wait_until([&] { return ::rmdir(folder_.c_str()) == 0 || errno == ENOENT; });
    folder_.clear();
  }
  fs::path folder_;
};

TEST_P(SegmentLimits, AMemoryCgroupIsAskedBeforeItKills) {
  const TestGroup group(kLarge);
  if (!group.usable()) GTEST_SKIP() << "may not make a memory cgroup here";
  ChildProcess child = ChildProcess::call([&] {
    if (!group.enter()) return kCannot;
    return throws_error(ErrorCode::no_memory, {name(), "134 MB", "memory cgroup", group.name(), "67 MB"},
                        [&] { (void)create(2 * kLarge); });
  });
  const reel_test::ExitStatus status = child.wait();
  if (status.code == kCannot) GTEST_SKIP() << "may not enter a memory cgroup here";
  EXPECT_TRUE(status.ok()) << status << child.errors();
}

}  // namespace
