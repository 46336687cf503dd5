// The spool's other disk as it should not be: slow, full, failing. pwrite(2) and pread(2) of this program go
// through here.
#include <recorder/spool.hpp>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace {

/// What becomes of calls that write or read as much as a frame.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  bool stands_still = false;
  int failure = 0;
  int waiting = 0;

  void set(bool still, int why) {
    const std::lock_guard lock(mutex);
    stands_still = still;
    failure = why;
    changed.notify_all();
  }
  int pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return !stands_still; });
    --waiting;
    return failure;
  }
};
Disk disk;

constexpr std::size_t kFrameBytes = 100'000;

}  // namespace

extern "C" ssize_t pwrite(int file, const void* bytes, std::size_t count, off_t offset) {
  if (count == kFrameBytes) {
    if (const int failure = disk.pass(); failure != 0) return errno = failure, -1;
  }
  return ::syscall(SYS_pwrite64, file, bytes, count, offset);
}

extern "C" ssize_t pread(int file, void* bytes, std::size_t count, off_t offset) {
  if (count == kFrameBytes) {
    if (const int failure = disk.pass(); failure != 0) return errno = failure, -1;
  }
  return ::syscall(SYS_pread64, file, bytes, count, offset);
}

namespace reel_test {
namespace {

using record::Spool;
using record::SpooledFrame;

constexpr std::uint64_t kMemory = 4 * (kFrameBytes + 2048);  // three frames, and one on its way

SpooledFrame frame(std::uint64_t number, std::size_t bytes = kFrameBytes) {
  gst_init(nullptr, nullptr);
  SpooledFrame made;
  made.number = number;
  made.format = std::make_shared<reel::Format>(reel::AudioFormat{reel::SampleFormat::S16LE, 48000, 1});
  made.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, bytes, nullptr),
                                           [](GstBuffer* it) { gst_buffer_unref(it); });
  return made;
}

class SpoolDisk : public ::testing::Test {
 protected:
  ~SpoolDisk() override { disk.set(false, 0); }
  static bool is_written_to() {
    return wait_until([] {
      const std::lock_guard lock(disk.mutex);
      return disk.waiting > 0;
    });
  }
  ScratchDir scratch;
};

TEST_F(SpoolDisk, ThatStandsStillKeepsNobodyWaitingForWhatIsInMemory) {
  disk.set(/*still=*/true, 0);
  Spool spool({kMemory, 10 * kFrameBytes, scratch.path()}, 1);
  for (std::uint64_t n = 0; n < 4; ++n) EXPECT_TRUE(spool.put(frame(n))) << n;
  ASSERT_TRUE(is_written_to());
  // While it does: both ends go on, and what no longer fits is lost and counted.
  EXPECT_EQ(spool.counts().frames, 4U);
  EXPECT_FALSE(spool.put(frame(4)));
  EXPECT_FALSE(spool.put(frame(5)));
  for (std::uint64_t n = 0; n < 3; ++n) EXPECT_EQ(spool.take(0)->number, n);
  EXPECT_EQ(spool.counts().lost, 2U);
  EXPECT_TRUE(spool.put(frame(6)));
  disk.set(/*still=*/false, 0);
  EXPECT_EQ(spool.take(0)->number, 3U);
  EXPECT_EQ(spool.take(0)->lost, 2U);
  EXPECT_EQ(spool.take(0)->number, 6U);
  EXPECT_EQ(spool.counts().memory_bytes + spool.counts().disk_bytes, 0U);
}

TEST_F(SpoolDisk, ThatTakesNothingIsCountedAndLosesNothingThatFitsIntoMemory) {
  for (const int why : {ENOSPC, EIO}) {
    disk.set(false, why);
    Spool spool({kMemory, 10 * kFrameBytes, scratch.path()}, 1);
    for (std::uint64_t n = 0; n < 4; ++n) EXPECT_TRUE(spool.put(frame(n))) << n;
    EXPECT_TRUE(wait_until([&] { return spool.counts().disk_errors == 1; }));
    EXPECT_FALSE(spool.put(frame(4)));
    disk.set(false, 0);
    for (std::uint64_t n = 0; n < 4; ++n) EXPECT_EQ(spool.take(0)->number, n);
    EXPECT_EQ(spool.take(0)->lost, 1U);
    for (std::uint64_t n = 5; n < 9; ++n) EXPECT_TRUE(spool.put(frame(n))) << n;
    EXPECT_TRUE(wait_until([&] { return spool.counts().spilled == 1; })) << "it takes frames again";
    for (std::uint64_t n = 5; n < 9; ++n) EXPECT_EQ(spool.take(0)->number, n);
    EXPECT_EQ(spool.counts().memory_bytes + spool.counts().disk_bytes, 0U);
  }
}

TEST_F(SpoolDisk, ThatGivesNothingBackIsALossThatIsCounted) {
  Spool spool({kMemory, 10 * kFrameBytes, scratch.path()}, 1);
  for (std::uint64_t n = 0; n < 4; ++n) EXPECT_TRUE(spool.put(frame(n))) << n;
  EXPECT_TRUE(wait_until([&] { return spool.counts().spilled == 1; }));
  for (std::uint64_t n = 0; n < 3; ++n) EXPECT_EQ(spool.take(0)->number, n);
  disk.set(false, EIO);
  const auto lost = spool.take(0);
  EXPECT_EQ(lost->kind, SpooledFrame::Kind::lost);
  EXPECT_EQ(lost->number, 3U);
  EXPECT_EQ(spool.counts().lost, 1U);
  EXPECT_EQ(spool.counts().disk_errors, 1U);
}

TEST_F(SpoolDisk, WithManySmallFramesDoesNotFillTheMemoryWithWhatIsKnownOfThem) {
  constexpr std::uint64_t kLimit = 400'000;
  Spool spool({kLimit, 1'000'000'000, scratch.path()}, 1);
  std::uint64_t taken = 0;
  for (std::uint64_t n = 0; n < 2000; ++n) taken += spool.put(frame(n, 500)) ? 1 : 0;
  EXPECT_LE(spool.counts().memory_bytes, kLimit + kLimit / 16);
  EXPECT_LT(taken, 2000U);
  EXPECT_EQ(taken + spool.counts().lost, 2000U);
  EXPECT_GT(spool.counts().memory_bytes, spool.counts().frames * 1000) << "it is counted for each";
}

}  // namespace
}  // namespace reel_test
