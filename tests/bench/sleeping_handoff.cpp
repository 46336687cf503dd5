// A frame handed to a reader that sleeps, against the bare doorbell: one byte over a socket of the same kind
// between the same two processes. The three take turns, paced, so that the reader is asleep each time.
#include "bench.hpp"
#include "process_pair.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace reel_bench {
namespace {

constexpr double kMostDoorbells = 1.3;
constexpr int kKinds =
    3;  // what takes turns: the bare doorbell, a blocking read, poll on the reader's descriptor

struct Sockets {
  std::array<int, 2> ends{-1, -1};
  Sockets() {
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair failed");
  }
  ~Sockets() {
    for (const int end : ends) ::close(end);
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
};

class Sender {
 public:
  Sender(int socket, const char* stream)
      : socket_(socket),
        writer_(stream, reel::VideoFormat{reel::PixelFormat::GRAY8, 64, 64}, {.wait_for = {"sleeper"}}) {}

  // Returns when the other process has it.
  void send(SharedBoard& board, int kind, int pause_us) {
    reel::Loan loan;
    if (kind != 0 && writer_.acquire(loan) != reel::WriteStatus::ok)
      throw std::runtime_error(writer_.error());
    const std::uint64_t done = board.done.load(std::memory_order_relaxed);
    ::usleep(static_cast<useconds_t>(pause_us));  // the reader falls asleep
    board.sent_ns.store(reel::monotonic_ns(), std::memory_order_relaxed);
    if (kind == 0) {
      constexpr std::byte kByte{1};
      if (::send(socket_, &kByte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
        throw std::runtime_error("send failed");
    } else if (writer_.publish(std::move(loan), {}) != reel::WriteStatus::ok) {
      throw std::runtime_error(writer_.error());
    }
    while (board.done.load(std::memory_order_acquire) == done) ::usleep(50);
  }

 private:
  int socket_;
  reel::FrameWriter writer_;
};

class Sleeper {
 public:
  Sleeper(int socket, const char* stream) : socket_(socket), reader_(stream, {.name = "sleeper"}) {}

  void receive(int kind) {
    bool there = false;
    if (kind == 0)
      there = ::recv(socket_, &byte_, 1, 0) == 1;
    else if (kind == 1)
      there = reader_.read(frame_) == reel::ReadStatus::frame;
    else
      there = poll_and_read();
    if (!there) throw std::runtime_error("a frame did not arrive: " + reader_.error());
  }
  void release() { frame_.release(); }

 private:
  bool poll_and_read() {
    for (;;) {
      const reel::ReadStatus status = reader_.try_read(frame_);
      if (status == reel::ReadStatus::frame) return true;
      if (status != reel::ReadStatus::empty) return false;
      pollfd waiting{reader_.fd(), POLLIN, 0};
      if (reader_.prepare_wait()) ::poll(&waiting, 1, -1);
    }
  }

  int socket_;
  std::byte byte_{};
  reel::FrameReader reader_;
  reel::Frame frame_;
};

std::vector<double> samples_of(const SharedBoard& board, int kind, std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>(board.samples[i * kKinds + static_cast<std::size_t>(kind)]) / 1000);
  return values;
}

}  // namespace

void measure_sleeping_handoff(const Scale& scale, Rows& rows) {
  const Sockets sockets;
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(scale.wakes), kMostSamples / kKinds);
  std::array<double, kKinds> wake_us{};
  run_pair(
      [&](SharedBoard& board) {
        Sender sender(sockets.ends[0], "doze");
        for (std::size_t i = 0; i < count * kKinds; ++i)
          sender.send(board, static_cast<int>(i % kKinds), scale.wake_pause_us);
        for (int kind = 0; kind < kKinds; ++kind)
          wake_us[static_cast<std::size_t>(kind)] = median(samples_of(board, kind, count));
      },
      [&](SharedBoard& board) {
        Sleeper sleeper(sockets.ends[1], "doze");
        for (std::size_t i = 0; i < count * kKinds; ++i) {
          sleeper.receive(static_cast<int>(i % kKinds));
          board.samples[i] = reel::monotonic_ns() - board.sent_ns.load(std::memory_order_relaxed);
          board.done.fetch_add(1, std::memory_order_release);
          sleeper.release();
        }
      });
  rows.push_back({"hand-off, sleeping in read()", "us", wake_us[1], wake_us[0], kMostDoorbells});
  rows.push_back({"hand-off, sleeping in poll(fd())", "us", wake_us[2], wake_us[0], kMostDoorbells});
}

}  // namespace reel_bench
