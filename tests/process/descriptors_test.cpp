// A writer's process that runs out of descriptors: in the middle of a growth, when a reader connects, when a
// connection cannot be watched. Nobody is stranded, nothing stays open, and the log says it once.
#include "raw_peer.hpp"
#include "stream_roles.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include <poll.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <reel/channel/frame_writer.hpp>

namespace {

std::atomic<int> refused_watches{0};  // how many of the next are refused

}  // namespace

/// Takes the C library's place in this program.
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  int left = refused_watches.load(std::memory_order_relaxed);
  while (operation == EPOLL_CTL_ADD && left > 0) {
    if (!refused_watches.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) continue;
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

namespace {

using reel::Policy;
using reel::WriteStatus;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::RawPeer;
using stream_test::RawReader;
using stream_test::start_reader;
using ::testing::HasSubstr;

// A sanitizer opens descriptors of its own to look at an object's type, and takes failing at it for a wrong
// type.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// This process may open so many descriptors more, until the end of the scope.
class DescriptorLimit {
 public:
  DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  void allow(rlim_t more) const {
    const reel::UniqueFd lowest(::dup(0));
    const rlimit limit{static_cast<rlim_t>(lowest.get()) + more, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  void lift() const { ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

class Descriptors : public stream_test::StreamTest {
 protected:
  void write(reel::FrameWriter& writer, std::size_t bytes) {
    ASSERT_EQ(try_write(writer, bytes), WriteStatus::ok) << writer.error();
  }
  [[nodiscard]] WriteStatus try_write(reel::FrameWriter& writer, std::size_t bytes) {
    reel::FrameInfo info;
    info.offset = number_ + 1;
    const WriteStatus status = writer.write(stream_test::pattern(bytes, number_ + 1), info);
    if (status == WriteStatus::ok) ++number_;
    return status;
  }
  [[nodiscard]] reel::UniqueFd make_socket() const {
    return reel::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  }
  void connect(const reel::UniqueFd& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = runtime_dir().path() + "/" + stream() + ".sock";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  [[nodiscard]] static std::size_t times_in(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }

 private:
  std::uint64_t number_ = 0;
};

TEST_F(Descriptors, AGrowthThatFailsHalfwayTellsNobodyAndChangesNothing) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  reel::FrameWriter writer(stream(), reel::Format(), {.slots = 32, .slot_bytes = 4096});
  const RawReader told_first(runtime_dir().path(), stream(), stream_test::hello(Policy::queue));
  reel_test::ChildProcess readers[] = {start_reader(stream(), {"policy=lossless"}),
                                       start_reader(stream(), {"policy=queue"}),
                                       start_reader(stream(), {"policy=lossless"})};
  write(writer, 4000);
  int failures = 0;
  {
    const DescriptorLimit limit;
    const std::size_t open = reel_test::open_descriptors();
    for (rlim_t more = 0;; ++more) {
      ASSERT_NO_FATAL_FAILURE(limit.allow(more));
      const WriteStatus status = try_write(writer, 100'000);
      limit.lift();
      if (status == WriteStatus::ok) break;
      ASSERT_EQ(status, WriteStatus::no_memory) << writer.error();
      // Fewer where what the readers were sent was not yet closed here when they began.
      EXPECT_LE(reel_test::open_descriptors(), open);
      pollfd message{told_first.peer.socket(), POLLIN, 0};
      EXPECT_EQ(::poll(&message, 1, 0), 0)
          << "told of memory that does not come, with " << more << " to spare";
      ++failures;
    }
  }
  EXPECT_GT(failures, 10) << "two for the memory, and some for each reader";
  EXPECT_EQ(writer.stats().epochs, 2U);
  write(writer, 4000);
  for (reel_test::ChildProcess& reader : readers) {
    const std::string answer = ask(reader, "take 3", "took");
    EXPECT_EQ(count_of(answer), 3U) << answer << reader.errors();
    EXPECT_EQ(field(answer, "bad") + field(answer, "gaps") + field(answer, "discont"), 0U) << answer;
    EXPECT_EQ(field(ask(reader, "stats", "stats"), "connects"), 1U);
  }
}

TEST_F(Descriptors, AReaderThatCannotBeTakenWaitsAndTheLogSaysItOnce) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  reel::FrameWriter writer(stream(), reel::Format());
  reel::UniqueFd socket = make_socket();
  ::testing::internal::CaptureStderr();
  {
    const DescriptorLimit limit;
    ASSERT_NO_FATAL_FAILURE(limit.allow(0));
    ASSERT_NO_FATAL_FAILURE(connect(socket));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // time for many lines
  }
  const RawPeer peer(std::move(socket));
  peer.send_as(stream_test::hello(Policy::queue));
  const auto answer = peer.receive();
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->fds.size(), 3U) << "welcome in the end";
  EXPECT_EQ(times_in(log, "cannot take"), 1U) << log;
  EXPECT_THAT(log, HasSubstr("ulimit -n"));
}

TEST_F(Descriptors, AConnectionThatCannotBeWatchedIsClosedAndForgotten) {
  reel::FrameWriter writer(stream(), reel::Format());
  ::testing::internal::CaptureStderr();
  const std::size_t open = reel_test::open_descriptors();
  refused_watches.store(2, std::memory_order_relaxed);
  for (int i = 0; i < 2; ++i) {
    const RawPeer refused(runtime_dir().path(), stream());
    EXPECT_TRUE(refused.hung_up());
  }
  EXPECT_TRUE(reel_test::wait_until([&] { return reel_test::open_descriptors() == open; }));
  EXPECT_EQ(times_in(::testing::internal::GetCapturedStderr(), "cannot take"), 1U);
  EXPECT_NO_THROW(RawReader(runtime_dir().path(), stream(), stream_test::hello(Policy::queue)));
}

}  // namespace
