// memory_room() on made-up systems: each test writes the files of one below a root of its own.
#include "memory_sources.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <reel_test/scratch_dir.hpp>

namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMega = 1'000'000;

class MemoryRoom : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const { root_.write(path, text); }
  void system_has(std::uint64_t kilobytes) const {
    write("/proc/meminfo",
          "MemTotal:       99999999 kB\nMemAvailable:   " + std::to_string(kilobytes) + " kB\n");
  }
  void version2_group(const std::string& path) const {
    write("/proc/self/cgroup", "0::" + path + "\n");
    write("/proc/self/mountinfo",
          "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void limit2(const std::string& folder, const std::string& limit, std::uint64_t used,
              std::uint64_t cache = 0) const {
    write(folder + "/memory.max", limit + "\n");
    write(folder + "/memory.current", std::to_string(used) + "\n");
    write(folder + "/memory.stat", "anon 5\ninactive_file " + std::to_string(cache) + "\nactive_file 0\n");
  }
  void version1_group(const std::string& path, const std::string& seen = "/") const {
    write("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:" + path + "\n0::/\n");
    write("/proc/self/mountinfo", "34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 " +
                                      seen +
                                      " /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n");
  }
  void limit1(const std::string& folder, std::uint64_t limit, std::uint64_t used) const {
    write(folder + "/memory.limit_in_bytes", std::to_string(limit) + "\n");
    write(folder + "/memory.usage_in_bytes", std::to_string(used) + "\n");
  }
  [[nodiscard]] std::optional<reel::MemoryRoom> room() const { return reel::memory_room_below(root_.path()); }

 private:
  reel_test::ScratchDir root_;
};

constexpr std::uint64_t kNoLimit1 = 9223372036854771712U;

TEST_F(MemoryRoom, IsUnknownWhereNothingCanBeRead) {
  EXPECT_FALSE(room());
}

TEST_F(MemoryRoom, IsTheSystemsWhereNoGroupLimits) {
  system_has(1000);
  ASSERT_TRUE(room());
  EXPECT_EQ(room()->bytes, 1'024'000U);
  EXPECT_THAT(room()->limit, HasSubstr("system"));
}

TEST_F(MemoryRoom, IsTheLimitLessWhatIsUsed) {
  system_has(8'000'000);
  version2_group("/box");
  limit2("/sys/fs/cgroup/box", "512000000", 300 * kMega);
  ASSERT_TRUE(room());
  EXPECT_EQ(room()->bytes, 212 * kMega);
  EXPECT_THAT(room()->limit, HasSubstr("memory cgroup /box (memory.max 512 MB, 300 MB used)"));
}

TEST_F(MemoryRoom, CountsCachedFilesAsFree) {
  version2_group("/box");
  limit2("/sys/fs/cgroup/box", "512000000", 500 * kMega, 400 * kMega);
  EXPECT_EQ(room()->bytes, 412 * kMega);
}

TEST_F(MemoryRoom, IsNothingAboveTheLimit) {
  version2_group("/box");
  limit2("/sys/fs/cgroup/box", "100", 200);
  EXPECT_EQ(room()->bytes, 0U);
}

TEST_F(MemoryRoom, IsTheTightestOfAllAncestors) {
  version2_group("/a/b/c");
  limit2("/sys/fs/cgroup/a/b/c", "max", 1);
  limit2("/sys/fs/cgroup/a/b", "900", 100);
  limit2("/sys/fs/cgroup/a", "1000", 700);
  EXPECT_EQ(room()->bytes, 300U);
  EXPECT_THAT(room()->limit, HasSubstr("memory cgroup /a ("));
}

TEST_F(MemoryRoom, IsTheSystemsWhenThatIsTighter) {
  system_has(1);
  version2_group("/box");
  limit2("/sys/fs/cgroup/box", "512000000", 0);
  EXPECT_EQ(room()->bytes, 1024U);
}

TEST_F(MemoryRoom, ReadsVersion1) {
  system_has(8'000'000);
  version1_group("/docker/abc");
  limit1("/sys/fs/cgroup/memory/docker/abc", 64 * kMega, 4 * kMega);
  limit1("/sys/fs/cgroup/memory/docker", kNoLimit1, 4 * kMega);
  limit1("/sys/fs/cgroup/memory", kNoLimit1, 4 * kMega);
  ASSERT_TRUE(room());
  EXPECT_EQ(room()->bytes, 60 * kMega);
  EXPECT_THAT(room()->limit, HasSubstr("memory.limit_in_bytes 64 MB"));
}

TEST_F(MemoryRoom, FindsTheGroupInAContainerThatMountsItAsItsRoot) {
  version1_group("/docker/abc", "/docker/abc");
  limit1("/sys/fs/cgroup/memory", 64 * kMega, 0);
  EXPECT_EQ(room()->bytes, 64 * kMega);
}

TEST_F(MemoryRoom, LooksAtTheMountForAGroupOutsideOfIt) {
  version1_group("/../other", "/docker/abc");
  limit1("/sys/fs/cgroup/memory", 32 * kMega, 0);
  EXPECT_EQ(room()->bytes, 32 * kMega);
}

TEST_F(MemoryRoom, ReadsMountPointsWithBlanks) {
  write("/proc/self/cgroup", "0::/\n");
  write("/proc/self/mountinfo", "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  limit2("/my groups", "700", 100);
  EXPECT_EQ(room()->bytes, 600U);
}

TEST_F(MemoryRoom, IgnoresFilesThatMakeNoSense) {
  system_has(1000);
  for (const char* group :
       {"", "0", "0:", "0::", "::", "0::no-slash", "0::/a/../../b", "4:memory", "x:memory:/\\"}) {
    write("/proc/self/cgroup", std::string(group) + "\n");
    for (const char* mount :
         {"", "-", " - ", "1 2 3 - cgroup2", "30 23 0:26 / /g rw - cgroup2 cgroup2 rw",
          "30 23 0:26 / /g\\9 rw - cgroup2 c rw", "30 23 0:26 / /g rw - cgroup c memory,"}) {
      write("/proc/self/mountinfo", std::string(mount) + "\n");
      write("/g/memory.max", "-5 nonsense\n");
      write("/g/memory.current", "\n");
      ASSERT_TRUE(room());
      EXPECT_EQ(room()->bytes, 1'024'000U) << group << " | " << mount;
    }
  }
}

}  // namespace
