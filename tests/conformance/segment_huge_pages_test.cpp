// Huge pages: where the kernel gives them a segment has them, in every process that maps it; where it does
// not the segment is the same with small ones.
#include "segment_suite.hpp"

#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

class SegmentHugePages : public SegmentSuite {
 protected:
  static constexpr const char* kMapped = "ShmemPmdMapped";

  void SetUp() override {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::ifstream("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") >> huge_;
    if (huge_ == 0) huge_ = page * page / 8;  // no /sys here: what the tables' entries of 8 bytes make it
    if (huge_ > (std::size_t{32} << 20)) GTEST_SKIP() << "huge pages of " << huge_ << " bytes";
  }

  [[nodiscard]] std::size_t huge() const { return huge_; }

  /// A file of this kind of memory, made without Reel.
  [[nodiscard]] reel::UniqueFd plain_file(std::size_t bytes) const {
    const std::string path = "/" + name() + "-plain";
    reel::UniqueFd fd(GetParam() == reel::SegmentKind::memfd
                          ? ::memfd_create("reel-plain", MFD_CLOEXEC)
                          : ::shm_open(path.c_str(), O_RDWR | O_CREAT, 0600));
    if (fd && ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) fd.reset();
    return fd;
  }
  void TearDown() override {
    ::shm_unlink(("/" + name() + "-plain").c_str());
    SegmentSuite::TearDown();
  }

  /// Whether this kernel, today, makes a huge page of such memory.
  [[nodiscard]] bool kernel_makes_them() const {
    const reel::UniqueFd fd = plain_file(huge_);
    void* room = ::mmap(nullptr, 2 * huge_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!fd || room == MAP_FAILED) return false;
    const std::size_t skip = (huge_ - reinterpret_cast<std::uintptr_t>(room) % huge_) % huge_;
    auto* place = static_cast<char*>(room) + skip;
    constexpr int kCollapse = 25;  // MADV_COLLAPSE, which Debian 12's headers do not name
    const bool made =
        ::mmap(place, huge_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd.get(), 0) == place &&
        (*place = 1) == 1 && ::madvise(place, huge_, kCollapse) == 0 && kernel_bytes(kMapped, place) == huge_;
    ::munmap(room, 2 * huge_);
    return made;
  }

  /// Where huge pages are made of themselves, a file takes more than its size.
  [[nodiscard]] bool small_by_default() const {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const reel::UniqueFd fd = plain_file(page);
    return fd && ::posix_fallocate(fd.get(), 0, static_cast<off_t>(page)) == 0 && blocks_of(fd.get()) == page;
  }

  [[nodiscard]] static std::size_t blocks_of(int fd) {
    constexpr std::size_t kBlock = 512;  // the unit of st_blocks
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? static_cast<std::size_t>(status.st_blocks) * kBlock : 0;
  }

 private:
  std::size_t huge_ = 0;
};
INSTANTIATE_TEST_SUITE_P(EveryKind, SegmentHugePages, ::testing::ValuesIn(reel::segment_kinds()), kind_name);

TEST_P(SegmentHugePages, AreTheMakersAndThoseOfWhoMapsIt) {
  if (!kernel_makes_them()) GTEST_SKIP() << "this kernel makes no huge pages of shared memory";
  const auto segment = create(4 * huge() + 1);
  (void)segment->seal(reel::Seal::size_and_writes);
  const auto mapped = backend().map(segment->share_read_only(), segment->size(), false);
  // One may be lacking where the memory is in pieces: they are advice.
  EXPECT_GE(kernel_bytes(kMapped, segment->data()), huge());
  EXPECT_EQ(kernel_bytes(kMapped, mapped->data()), kernel_bytes(kMapped, segment->data()));
  EXPECT_TRUE(all_zero(*mapped));
  segment->data()[4 * huge()] = std::byte{7};
  segment->data()[huge() - 1] = std::byte{8};
  EXPECT_EQ(mapped->data()[4 * huge()], std::byte{7});
  EXPECT_EQ(mapped->data()[huge() - 1], std::byte{8});
}

TEST_P(SegmentHugePages, TakeNoMoreMemoryThanSmallOnes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (!small_by_default()) GTEST_SKIP() << "files of memory are of huge pages here, asked for or not";
  for (const std::size_t bytes : {huge() - page, huge(), huge() + page, 2 * huge() - page}) {
    const auto segment = create(bytes);
    EXPECT_EQ(segment->size(), bytes);
    EXPECT_EQ(kernel_bytes("Rss", segment->data()), bytes);
    EXPECT_TRUE(all_zero(*segment));
    EXPECT_EQ(blocks_of(segment->share_read_only().get()), bytes);
  }
}

TEST_P(SegmentHugePages, AreNotMissedWhereTheProcessMayHaveNone) {
  if (!small_by_default()) GTEST_SKIP() << "files of memory are of huge pages here, asked for or not";
  expect_child_succeeds([this] {
    if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) return 0;  // a sandbox that knows no such thing
    const auto segment = create(2 * huge());
    const bool right = kernel_bytes(kMapped, segment->data()) == 0 &&
                       kernel_bytes("Rss", segment->data()) == 2 * huge() && all_zero(*segment);
    return right ? 0 : 1;
  });
}

}  // namespace
