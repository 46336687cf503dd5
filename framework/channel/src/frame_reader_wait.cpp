// How a FrameReader waits: spin briefly while that pays, then sleep on its page; or arm the socket for
// whoever polls fd(). And the messages that come over the socket meanwhile.
#include <poll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/futex.hpp>
#include <reel/base/log.hpp>

#include "frame_reader_impl.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace reel {
namespace {

constexpr std::int64_t kLongestSpinNs = 20'000;
constexpr std::int64_t kShortestSpinNs = 500;
constexpr unsigned kWaitsPerTry = 8;
constexpr std::int64_t kLongestPollNs = 20'000'000;  // interrupt() does not end a poll
constexpr int kMostMessages = 64;                    // read at a time: the next call reads on
constexpr std::size_t kMostNextEpochs = 16;          // mapped at a time

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

std::int64_t FrameReader::Impl::longest_spin_ns() noexcept {
  static const bool several = std::thread::hardware_concurrency() > 1;
  return several ? kLongestSpinNs : 0;
}

// Doubles while frames come within the spin, halves while they don't: a 30 fps reader soon sleeps at once,
// but for one wait in eight, which finds out whether frames come faster now.
bool FrameReader::Impl::spin() noexcept {
  if (spin_ns_ == 0 || (spin_ns_ == kShortestSpinNs && ++waits_ % kWaitsPerTry != 0)) return false;
  const std::int64_t until_ns = monotonic_ns() + spin_ns_;
  do {
    for (int i = 0; i < 16; ++i) {
      if (epoch_->ring().ready()) {
        spin_ns_ = std::min(spin_ns_ * 2, kLongestSpinNs);
        return true;
      }
      pause_briefly();
    }
  } while (monotonic_ns() < until_ns);
  spin_ns_ = std::max(spin_ns_ / 2, kShortestSpinNs);
  return false;
}

void FrameReader::Impl::wait_connected(std::int64_t deadline_ns) noexcept {
  RingReader& ring = epoch_->ring();
  const std::atomic<std::uint32_t>& doorbell = ring.page().doorbell;
  // Read before the last look at everything that rings it: whatever happens after that look changes it.
  const std::uint32_t before = doorbell.load(std::memory_order_acquire);
  if (connection_->hung_up() || interrupted_.load(std::memory_order_acquire)) return;
  if (!ring.arm(WakeKind::futex)) return;
  const std::int64_t left_ns = deadline_ns - monotonic_ns();
  if (left_ns > 0) futex_wait(doorbell, before, left_ns, FutexScope::shared);
  ring.disarm();
}

void FrameReader::Impl::wait_unconnected(std::int64_t deadline_ns) noexcept {
  if (hello_socket_) {
    wait_for_message(hello_socket_.get(), std::min(retry_at_ns_, deadline_ns));
    return;
  }
  const std::uint32_t before = idle_word_.load(std::memory_order_acquire);
  if (interrupted_.load(std::memory_order_acquire)) return;
  const std::int64_t left_ns = std::min(retry_at_ns_, deadline_ns) - monotonic_ns();
  if (left_ns > 0) futex_wait(idle_word_, before, left_ns, FutexScope::process);
}

void FrameReader::Impl::wait_for_message(int socket, std::int64_t deadline_ns) noexcept {
  const std::int64_t left_ns = std::clamp<std::int64_t>(deadline_ns - monotonic_ns(), 0, kLongestPollNs);
  const timespec left{0, left_ns};
  pollfd wait{socket, POLLIN, 0};
  ::ppoll(&wait, 1, &left, nullptr);
}

void FrameReader::Impl::interrupt(bool on) noexcept {
  interrupted_.store(on, std::memory_order_release);
  if (!on) return;
  idle_word_.fetch_add(1, std::memory_order_release);
  futex_wake(idle_word_, FutexScope::process);
  const std::lock_guard lock(connection_mutex_);
  if (connection_) connection_->wake();
}

void FrameReader::Impl::arm_timer(std::int64_t at_ns) noexcept {
  const std::int64_t left_ns = std::max<std::int64_t>(at_ns - monotonic_ns(), 1);
  itimerspec timer{};
  timer.it_value.tv_sec = left_ns / 1'000'000'000;
  timer.it_value.tv_nsec = left_ns % 1'000'000'000;
  ::timerfd_settime(timer_.get(), 0, &timer, nullptr);  // setting it again also makes it unreadable
}

// One that has expired would keep fd() readable for ever.
void FrameReader::Impl::disarm_timer() noexcept {
  const itimerspec off{};
  ::timerfd_settime(timer_.get(), 0, &off, nullptr);
}

bool FrameReader::Impl::prepare_wait() noexcept {
  if (failed_ || ended_ || interrupted_.load(std::memory_order_acquire)) return false;
  if (!epoch_ && !connect()) {
    if (failed_ || (!options_.reconnect && !hello_socket_)) return false;
    arm_timer(retry_at_ns_);
    return true;
  }
  read_messages();
  if (failed_ || connection_->hung_up()) return false;
  armed_socket_ = true;
  if (moved_since_ns_ != 0 && next_epochs_.empty()) {  // what is waited for comes over the socket alone
    arm_timer(moved_since_ns_ + kHandshakeTimeoutNs);
    return true;
  }
  return epoch_->ring().arm(WakeKind::socket);
}

void FrameReader::Impl::read_messages() noexcept {
  if (armed_socket_) epoch_->ring().disarm();
  armed_socket_ = false;
  for (int messages = 0; messages < kMostMessages && !failed_; ++messages) {
    if (next_epochs_.size() >= kMostNextEpochs) {
      // What was announced after the present memory's move is read when that has been followed. An honest
      // writer announces no second memory before it has moved to the first.
      if (epoch_->view().header->moved.load(std::memory_order_acquire) == 0)
        fail(ErrorCode::protocol,
             fmt::format("its writer announced {} new memories and moved to none", next_epochs_.size()));
      return;
    }
    switch (receive_message(connection_->socket(), message_)) {
      case ReceiveStatus::none: return;
      case ReceiveStatus::gone: connection_->mark_hung_up(); return;
      case ReceiveStatus::received: handle_message(); break;
    }
  }
}

void FrameReader::Impl::handle_message() noexcept {
  if (message_.size == 1) return;  // the doorbell
  const auto header = header_of(message_);
  if (!header) {
    fail(ErrorCode::protocol, "its writer sent a message that is not of Reel's handshake");
    return;
  }
  if (header->type == MessageType::demoted) {
    log_warning(
        fmt::format("stream \"{}\": this lossless reader kept its writer waiting past stall_timeout and is "
                    "treated as `queue` "
                    "from now on: frames can be lost",
                    stream_));
    return;
  }
  if (header->type != MessageType::moved) return;  // a later minor version's
  const auto moved = as<WelcomeMessage>(message_, 3);
  if (!moved) {
    fail(ErrorCode::protocol, "its writer announced new memory in a message of the wrong form");
    return;
  }
  try {
    next_epochs_.push_back(std::make_shared<ReaderEpoch>(*moved, message_, connection_));
  } catch (const Error& error) {
    fail(error.code(), error.message());
  } catch (const std::exception& error) {
    fail(ErrorCode::no_memory, error.what());
  }
}

bool FrameReader::Impl::request_key_frame() noexcept {
  if (!connected()) return false;
  const PlainMessage request{{.type = MessageType::key_frame_request}};
  return send_message(connection_->socket(), bytes_of(request)) == SendStatus::sent;
}

ReaderStats FrameReader::Impl::stats() const noexcept {
  return {counters_.delivered,
          counters_.verified,
          counters_.corrupted,
          counters_.skipped,
          counters_.lapped,
          connects_,
          epoch_ ? epoch_->ring().cursor() - 1 : 0};
}

}  // namespace reel
