// What a frame costs besides its bytes: no allocation on either side, no system call while nobody sleeps, and
// memory of no more than the slots and 2 MB.
#include "allocation_count.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <reel_test/child_process.hpp>
#include <reel_test/runtime_dir.hpp>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/observer.hpp>

namespace {

using reel::ChecksumMode;
using reel::FrameReader;
using reel::FrameWriter;
using reel::PixelFormat;
using reel::Policy;
using reel::ReadStatus;
using reel::VideoFormat;
using reel::WriteStatus;
using reel_test::ChildProcess;
using reel_test::TempRuntimeDir;
using reel_test::unique_name;

constexpr int kWarmUp = 50;

// --- allocations ---

bool lend_and_publish(FrameWriter& writer, std::int64_t pts_ns) {
  reel::Loan loan;
  if (writer.acquire(loan) != WriteStatus::ok) return false;
  loan.data()[0] = std::byte{1};
  const reel::Detection face{};
  if (!loan.side_data().add_detections("faces", {&face, 1})) return false;
  return writer.publish(std::move(loan), {.pts_ns = pts_ns}) == WriteStatus::ok;
}

// Allocations of `frames` frames from acquire to release, by the whole process.
std::uint64_t allocations_of(int frames, FrameWriter& writer, FrameReader& reader,
                             std::span<const std::byte> copied) {
  reel::Frame frame;
  int taken = 0;
  const AllocationCount count;
  for (int i = 0; i < frames; ++i) {
    const bool published =
        copied.empty() ? lend_and_publish(writer, i) : writer.write(copied, {.pts_ns = i}) == WriteStatus::ok;
    if (published && reader.read(frame) == ReadStatus::frame && frame.verified()) ++taken;
    frame.release();
  }
  const std::uint64_t allocations = count.so_far();
  EXPECT_EQ(taken, frames);
  return allocations;
}

TEST(FrameCost, AllocatesNothingPerFrameWhetherLentOrCopied) {
  const TempRuntimeDir directory;
  const std::string stream = unique_name("cost");
  const VideoFormat format{PixelFormat::NV12, 320, 240};
  FrameWriter writer(stream, format);
  writer.set_segment({});
  writer.set_tags("title=cost");
  FrameReader reader(stream, {.policy = Policy::lossless});
  const std::vector<std::byte> payload(reel::default_layout(format).bytes, std::byte{7});
  (void)allocations_of(kWarmUp, writer, reader, {});
  (void)allocations_of(kWarmUp, writer, reader, payload);

  EXPECT_EQ(allocations_of(1000, writer, reader, {}), 0u);
  EXPECT_EQ(allocations_of(1000, writer, reader, payload), 0u);
}

TEST(FrameCost, CountsAllocations) {
  const AllocationCount count;
  const auto one = std::make_unique<std::vector<int>>(100);
  void* volatile place = std::malloc(10);  // volatile, or the compiler leaves both calls out
  std::free(place);
  EXPECT_GE(count.so_far(), 2u);
}

// --- system calls ---

// Shared by a test and the processes it forks.
struct Board {
  std::atomic<int> warm{0};             // processes that have taken or published kWarmUp frames
  std::atomic<std::uint64_t> taken{0};  // frames by the reader
  std::atomic<int> finished{0};
  std::atomic<int> calls{0};  // system calls of the data threads
  std::atomic<int> last_call{-1};
};

Board* g_board = nullptr;  // what the signal handler writes to

Board& new_board() {
  void* place = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  g_board = new (place) Board;
  return *g_board;
}

// From here on every system call of this thread is counted instead of made. Reading the clock is let pass:
// where the vDSO cannot serve it, it enters the kernel, and that is the machine's doing.
void count_system_calls() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    g_board->calls.fetch_add(1, std::memory_order_relaxed);
    g_board->last_call.store(info->si_syscall, std::memory_order_relaxed);
  };
  ::sigaction(SIGSYS, &action, nullptr);
  std::array<sock_filter, 5> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    throw std::runtime_error("seccomp is not to be had");
}

// Runs `body` in a data thread of its own, which never comes back: once its calls are counted, it could not
// even end. The process ends when `finished` is at `others`.
int in_counted_thread(Board& board, int others, const std::function<void()>& body) {
  std::thread([&] {
    body();
    board.finished.fetch_add(1);
    while (board.finished.load() > 0) {
    }
  }).detach();
  while (board.finished.load() < others) ::usleep(1000);
  ::_exit(0);
}

constexpr std::uint64_t kFrames = 10'000;
constexpr std::uint64_t kInFlight = 2;  // so that the writer never finds the ring full, where it would sleep

void write_spinning(Board& board, FrameWriter& writer) {
  for (std::uint64_t i = 0; i < kWarmUp + kFrames; ++i) {
    if (i == kWarmUp) {
      board.warm.fetch_add(1);
      while (board.warm.load() < 2) ::usleep(1000);
      count_system_calls();
    }
    while (board.taken.load() + kInFlight <= i) {
    }
    reel::Loan loan;
    if (writer.acquire(loan) == WriteStatus::ok) (void)writer.publish(std::move(loan), {});
  }
}

void read_spinning(Board& board, FrameReader& reader) {
  reel::Frame frame;
  for (std::uint64_t i = 0; i < kWarmUp + kFrames; ++i) {
    if (i == kWarmUp) {
      board.warm.fetch_add(1);
      while (board.warm.load() < 2) ::usleep(1000);
      count_system_calls();
    }
    while (reader.try_read(frame) != ReadStatus::frame) {
    }
    frame.release();
    board.taken.fetch_add(1);
  }
}

TEST(FrameCost, MakesNoSystemCallPerFrameWhileNobodySleeps) {
  TempRuntimeDir directory;
  directory.allow_leftovers();  // both processes end where they stand
  const std::string stream = unique_name("calls");
  Board& board = new_board();
  ChildProcess writer = ChildProcess::call([&] {
    FrameWriter frames(stream, VideoFormat{PixelFormat::GRAY8, 64, 64}, {.wait_for = {"spinner"}});
    return in_counted_thread(board, 2, [&] { write_spinning(board, frames); });
  });
  ChildProcess reader = ChildProcess::call([&] {
    FrameReader frames(stream, {.name = "spinner", .policy = Policy::lossless});
    return in_counted_thread(board, 2, [&] { read_spinning(board, frames); });
  });
  EXPECT_TRUE(reader.wait().ok()) << reader.errors();
  EXPECT_TRUE(writer.wait().ok()) << writer.errors();
  EXPECT_EQ(board.taken.load(), kWarmUp + kFrames);
  EXPECT_EQ(board.calls.load(), 0) << "the last one was number " << board.last_call.load();
}

TEST(FrameCost, CountsSystemCalls) {
  Board& board = new_board();
  ChildProcess child = ChildProcess::call([&] {
    return in_counted_thread(board, 1, [] {
      count_system_calls();
      ::syscall(SYS_getppid);
    });
  });
  EXPECT_TRUE(child.wait().ok()) << child.errors();
  EXPECT_EQ(board.calls.load(), 1);
  EXPECT_EQ(board.last_call.load(), SYS_getppid);
}

// --- memory ---

TEST(FrameCost, MemoryIsTheSlotsAndTwoMegabytesAtMost) {
  const TempRuntimeDir directory;
  const std::string stream = unique_name("memory");
  const FrameWriter writer(stream, VideoFormat{PixelFormat::RGB, 1920, 1080}, {.slots = 8});
  const reel::StreamStatus status = reel::StreamObserver(stream).status();
  ASSERT_EQ(status.slots, 8u);
  ASSERT_GE(status.slot_bytes, 1920u * 1080 * 3);
  const std::uint64_t slots_bytes = status.slots * status.slot_bytes;
  EXPECT_GT(status.memory_bytes, slots_bytes);
  EXPECT_LE(status.memory_bytes - slots_bytes, 2u << 20);
}

}  // namespace
