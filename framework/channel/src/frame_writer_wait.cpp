// The waiting half of a writer: for readers to come, for slots to come free, for what is owed to be taken.
#include "frame_writer_wait.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <reel/base/futex.hpp>
#include <reel/base/log.hpp>

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kNever = std::int64_t{1} << 62;

std::int64_t deadline_of(int timeout_ms) {
  return timeout_ms < 0 ? kNever : monotonic_ns() + timeout_ms * kMillisecond;
}

// A wait that is told of when it is over, however it ends.
class TracedWait {
 public:
  explicit TracedWait(WriterTrace* trace) noexcept
      : trace_(trace), begin_ns_(trace != nullptr ? monotonic_ns() : 0) {}
  ~TracedWait() {
    if (trace_ != nullptr) trace_->waited(begin_ns_, monotonic_ns());
  }
  TracedWait(const TracedWait&) = delete;
  TracedWait& operator=(const TracedWait&) = delete;

 private:
  WriterTrace* trace_;
  std::int64_t begin_ns_;
};

}  // namespace

std::int64_t FrameWriter::Impl::Sleeper::deadline_ns() noexcept {
  if (deadline_ns_ == 0) deadline_ns_ = deadline_of(timeout_ms_);
  return deadline_ns_;
}

void FrameWriter::Impl::Sleeper::sleep(const std::atomic<std::uint32_t>& events, std::uint32_t before,
                                       std::int64_t timeout_ns) noexcept {
  if (wait_ != nullptr) wait_->lock.unlock();
  futex_wait(events, before, timeout_ns, FutexScope::process);
  if (wait_ != nullptr) wait_->lock.lock();
}

// Readers tell a writer only that says it waits.
class FrameWriter::Impl::AnnouncedWait {
 public:
  explicit AnnouncedWait(Impl& writer) noexcept : writer_(writer) { ++writer_.sleepers_; }
  AnnouncedWait(const AnnouncedWait&) = delete;
  AnnouncedWait& operator=(const AnnouncedWait&) = delete;
  ~AnnouncedWait() {
    if (--writer_.sleepers_ == 0) writer_.epoch_->ring().announce_wait(false);
  }

 private:
  Impl& writer_;
};

bool FrameWriter::Impl::wait_for_readers() noexcept {
  if (waited_for_readers_ || options_.wait_for.empty()) return true;
  waited_for_readers_ = true;
  Sleeper sleeper(options_.start_timeout_ms, interrupted_);
  return wait_for_declared(sleeper);
}

// A wait that was stopped goes on with the next call, until the same moment.
bool FrameWriter::Impl::wait_for_readers(const SharedWait& wait) noexcept {
  if (waited_for_readers_ || options_.wait_for.empty()) return true;
  if (start_deadline_ns_ == 0) start_deadline_ns_ = deadline_of(options_.start_timeout_ms);
  Sleeper sleeper(wait, interrupted_, start_deadline_ns_);
  const bool there = wait_for_declared(sleeper);
  waited_for_readers_ = there || !sleeper.stopped();
  return there;
}

bool FrameWriter::Impl::wait_for_declared(Sleeper& sleeper) noexcept {
  try {
    for (;;) {
      const std::uint32_t before = server_.events().load(std::memory_order_acquire);
      if (server_.wanted_slots() != 0) grow_for_readers();
      const std::vector<std::string> missing = server_.missing_readers(options_.wait_for);
      if (missing.empty()) return true;
      if (sleeper.stopped()) return false;
      const std::int64_t left_ns = sleeper.deadline_ns() - monotonic_ns();
      if (left_ns <= 0) {
        log_warning(fmt::format("stream \"{}\": starts without {} after start_timeout ({} ms)", stream_,
                                fmt::join(missing, ", "), options_.start_timeout_ms));
        started_without_ = missing;
        return false;
      }
      sleeper.sleep(server_.events(), before, std::min(left_ns, server_.look_every_ns()));
    }
  } catch (const std::exception& error) {
    log_warning(error.what());
    return false;
  }
}

bool FrameWriter::Impl::wait_for_readers(std::uint32_t count, const SharedWait& wait) noexcept {
  Sleeper sleeper(wait, interrupted_);
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    if (server_.wanted_slots() != 0) grow_for_readers();
    if (server_.reader_count() >= count) return true;
    if (sleeper.stopped()) return false;
    sleeper.sleep(server_.events(), before, kNever);
  }
}

// Other threads of a shared writer may publish and even make new memory while this one sleeps: what is looked
// at is the present epoch's, each time.
WriteStatus FrameWriter::Impl::wait_for_slot(std::uint32_t& slot, Sleeper& sleeper) noexcept {
  if (sleeper.stopped()) return WriteStatus::interrupted;
  if (const auto found = epoch_->ring().acquire()) {
    slot = *found;
    return WriteStatus::ok;
  }
  const TracedWait traced(tracing());
  waits_.fetch_add(1, std::memory_order_relaxed);
  epoch_->view().header->waits.fetch_add(1, std::memory_order_relaxed);
  ReaderMask counted = 0;                             // readers this wait was put down to
  std::array<std::uint64_t, kScanEntries> cursors{};  // where each blocker stood
  std::array<std::int64_t, kScanEntries> since_ns{};  // and since when
  const AnnouncedWait announced(*this);
  const std::int64_t stall_ns =
      options_.stall_timeout_ms > 0 ? options_.stall_timeout_ms * kMillisecond : kNever;
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    if (server_.wanted_slots() != 0) grow_for_readers();
    RingWriter& ring = epoch_->ring();
    ring.announce_wait(true);
    if (const auto found = ring.acquire()) {
      slot = *found;
      return WriteStatus::ok;
    }
    if (ring.take_hostile()) server_.drop_hostile();
    const std::int64_t now_ns = monotonic_ns();
    std::int64_t wake_ns = std::min(sleeper.deadline_ns(), server_.expire_absences(now_ns));
    ReaderMask stalled = 0;
    const std::optional<ReaderMask> found_blockers = ring.blockers();
    if (!found_blockers) wake_ns = now_ns;
    const ReaderMask blockers = found_blockers.value_or(0);
    for (ReaderMask rest = blockers; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(rest));
      if ((counted >> i & 1) == 0) ring.entry(i).waits.fetch_add(1, std::memory_order_relaxed);
      const std::uint64_t cursor = ring.cursor_of(i);
      // Only forward is progress: a cursor that moves to and fro would never be stalled.
      if ((counted >> i & 1) == 0 || cursor > cursors[i]) {
        cursors[i] = cursor;
        since_ns[i] = now_ns;
      }
      if (now_ns - since_ns[i] >= stall_ns)
        stalled |= ReaderMask{1} << i;
      else
        wake_ns = std::min(wake_ns, since_ns[i] + std::min(stall_ns, kNever - since_ns[i]));
    }
    counted |= blockers;
    // Pins are not demoted: a reader may hold what it was granted for as long as it likes.
    if (stalled != 0 && server_.demote(stalled)) continue;
    if (sleeper.stopped()) return WriteStatus::interrupted;
    if (now_ns >= sleeper.deadline_ns()) return timed_out(sleeper.timeout_ms());
    sleeper.sleep(server_.events(), before, std::max<std::int64_t>(wake_ns - now_ns, 1));
  }
}

WriteStatus FrameWriter::Impl::timed_out(int timeout_ms) noexcept {
  try {
    return refuse(WriteStatus::timeout,
                  fmt::format("no slot came free within {} ms: {}", timeout_ms, server_.holders()));
  } catch (const std::exception& error) {
    return refuse(WriteStatus::timeout, "no slot came free");
  }
}

bool FrameWriter::Impl::drain(int timeout_ms) noexcept {
  if (!epoch_) return true;
  const std::int64_t deadline_ns = deadline_of(timeout_ms);
  const AnnouncedWait announced(*this);  // so that whoever lets a frame go says so
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    epoch_->ring().announce_wait(true);
    const std::int64_t now_ns = monotonic_ns();
    const std::int64_t wake_ns = std::min(deadline_ns, server_.expire_absences(now_ns));
    if (!server_.owes_frames()) return true;
    if (now_ns >= deadline_ns || interrupted_.load(std::memory_order_acquire)) return false;
    futex_wait(server_.events(), before, wake_ns - now_ns, FutexScope::process);
  }
}

}  // namespace reel
