#include <reel/ring/ring_writer.hpp>

#include <sched.h>

#include <algorithm>
#include <bit>

#include <reel/ring/header_checksum.hpp>

namespace reel {
namespace {

constexpr std::size_t kLineBytes = 64;

// A reader looked at the header last: its lines are asked back ahead of the stores, which would wait for them
// one behind the other in front of a fence.
void own_header_lines(const SlotHeader& header) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(&header);
  for (std::size_t line = 0; line < sizeof header; line += kLineBytes) __builtin_prefetch(bytes + line, 1);
}

}  // namespace

// SYNC ring.quiet: the data thread announces itself (seq_cst), then reads the scan set; the service thread
// changes the set (seq_cst), then waits for quiet. Either the data thread sees the change or the service
// thread waits for it to leave.
class RingWriter::BusyScope {
 public:
  explicit BusyScope(RingWriter& ring) noexcept : ring_(ring) {
    ring_.busy_.store(true, std::memory_order_seq_cst);
  }
  ~BusyScope() { ring_.busy_.store(false, std::memory_order_release); }
  BusyScope(const BusyScope&) = delete;
  BusyScope& operator=(const BusyScope&) = delete;

 private:
  RingWriter& ring_;
};

RingWriter::RingWriter(const StreamView& view, bool live)
    : view_(view),
      live_(live),
      slots_(view.geometry.slots),
      pin_words_((view.geometry.slots + 63) / 64),
      next_sequence_(view.geometry.first_sequence),
      oldest_(view.geometry.first_sequence) {
  for (std::uint32_t slot = 0; slot < slots_; ++slot) reusable_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

std::optional<RingWriter::PinSet> RingWriter::pins_of(const ScanEntry& entry,
                                                      const ReaderPage& page) const noexcept {
  // Above 64 slots a look is several loads, and a reader that moves on between two of them seems to hold both
  // frames: it is looked at again. It takes each sequence once and nothing is published meanwhile, so an
  // honest one soon has nowhere left to move to.
  const std::uint32_t looks = pin_words_ == 1 ? 1 : 2 * slots_ + 8;
  for (std::uint32_t look = 0; look < looks; ++look) {
    PinSet pins{};
    std::uint32_t count = 0;
    for (std::uint32_t word = 0; word < pin_words_; ++word) {
      // SYNC ring.unpin: acquire, pairs with the release in RingReader::unpin: the reader's last load is
      // before our overwrite. SYNC ring.reuse: seq_cst, after the RETIRED store.
      pins[word] = page.pins[word].load(std::memory_order_seq_cst);
      count += static_cast<std::uint32_t>(std::popcount(pins[word]));
    }
    if (count <= entry.max_pins.load(std::memory_order_relaxed)) return pins;
  }
  return std::nullopt;
}

void RingWriter::scan() noexcept {
  held_ = kept_;
  lossless_floor_ = ~std::uint64_t{0};
  settled_floor_ = ~std::uint64_t{0};
  lossless_readers_ = 0;
  other_readers_ = 0;
  scanned_set_ = set_version_.load(std::memory_order_seq_cst);  // SYNC ring.scan_set
  const std::uint32_t limit = entry_limit_.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < limit; ++i) {
    ScanEntry& entry = entries_[i];
    ReaderPage* page = entry.page.load(std::memory_order_seq_cst);  // SYNC ring.scan_set
    if (page == nullptr || entry.hostile.load(std::memory_order_relaxed)) continue;
    // Before the pins: a frame that the reader is at work on by then is not below it, or is seen to be
    // pinned.
    const std::uint64_t cursor = believed_cursor(entry, *page);
    const std::optional<PinSet> pins = pins_of(entry, *page);
    if (!pins) {
      entry.hostile.store(true, std::memory_order_relaxed);
      hostile_seen_ = true;
      continue;
    }
    for (std::uint32_t word = 0; word < pin_words_; ++word) held_[word] |= (*pins)[word];
    if (!entry.lossless.load(std::memory_order_relaxed) || entry.demoted.load(std::memory_order_relaxed)) {
      ++other_readers_;
      continue;
    }
    ++lossless_readers_;
    lossless_floor_ = std::min(lossless_floor_, cursor);
    settled_floor_ =
        std::min(settled_floor_,
                 cursor - std::min<std::uint64_t>(cursor, entry.max_pins.load(std::memory_order_relaxed)));
  }
  for (std::uint32_t word = 0; word < pin_words_; ++word) free_[word] = reusable_[word] & ~held_[word];
}

std::optional<std::uint32_t> RingWriter::take_free() noexcept {
  for (std::uint32_t word = 0; word < pin_words_; ++word) {
    if (free_[word] == 0) continue;
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(free_[word]));
    free_[word] &= ~(std::uint64_t{1} << bit);
    reusable_[word] &= ~(std::uint64_t{1} << bit);
    const std::uint32_t slot = word * 64 + bit;
    own_header_lines(view_.slots[slot]);
    // Relaxed suffices: a reader accepts READY with its sequence only, and the slot is RETIRED or was never
    // READY.
    view_.slots[slot].state.store(slot_word(0, SlotState::writing), std::memory_order_relaxed);
    return slot;
  }
  return std::nullopt;
}

void RingWriter::retire_one() noexcept {
  const std::uint64_t sequence = oldest_++;
  const std::uint32_t slot = slot_of_frame(sequence);
  view_.header->oldest.store(oldest_, std::memory_order_release);
  // SYNC ring.reuse: seq_cst, then the pins; the reader pins, then reads the state.
  view_.slots[slot].state.store(slot_word(sequence, SlotState::retired), std::memory_order_seq_cst);
  reusable_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

// As the last look showed it. With lossless readers alone, who want no frame twice, the same few slots can go
// round and stay in caches. With checksums each of them reads every byte, and several lag so differently that
// what they have in theirs is written over (measured with unpaced 1080p: one reader's frames come twice as
// fast when few slots go round, four readers' a tenth slower).
bool RingWriter::few_slots_suffice() const noexcept {
  const bool hashed = view_.geometry.checksum_mode != static_cast<std::uint32_t>(ChecksumMode::none);
  return other_readers_ == 0 && lossless_readers_ != 0 && (!hashed || lossless_readers_ == 1);
}

// Whether a slot is still in a cache decides how fast it is filled: what all readers are done with is taken
// back at once, for take_free() to take the lowest.
void RingWriter::retire_finished() noexcept {
  if (!few_slots_suffice() && scanned_set_ == set_version_.load(std::memory_order_seq_cst)) return;
  scan();
  if (!few_slots_suffice()) return;
  const std::uint64_t limit = std::min(history_begin(), lossless_floor_);
  const std::uint64_t before = oldest_;
  const auto held = [this] {
    const std::uint32_t slot = slot_of_frame(oldest_);
    return (held_[slot / 64] >> (slot % 64) & 1) != 0;
  };
  while (oldest_ < limit && !held()) retire_one();
  if (oldest_ != before) scan();  // what was retired, against the pins there are behind that
}

void RingWriter::retire_oldest() noexcept {
  retire_one();
  // All reusable slots against one new look at all pins: a reader that hops from each slot we retire to the
  // next would otherwise keep every one of them from us, while the ones it left are free.
  scan();
}

bool RingWriter::unpinned_below(std::uint64_t limit) const noexcept {
  for (std::uint64_t sequence = oldest_; sequence < limit; ++sequence) {
    const std::uint32_t slot = slot_of_frame(sequence);
    if ((held_[slot / 64] >> (slot % 64) & 1) == 0) return true;
  }
  return false;
}

// Frames that are all pinned stay READY: taking them back gives no slot, and a reader that is killed while it
// works on one can be given it again.
std::optional<std::uint32_t> RingWriter::retire_until(std::uint64_t limit) noexcept {
  while (unpinned_below(limit)) {
    retire_oldest();
    if (const auto found = take_free()) return found;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> RingWriter::acquire() noexcept {
  const BusyScope busy(*this);
  retire_finished();
  if (auto slot = take_free()) return slot;
  const std::uint64_t limit = history_begin();
  // Nothing waits for its pins to go, and the oldest frame is done with by what the last look showed: one
  // look at the readers' lines is enough, the one behind the retirement.
  if (reusable_ == PinSet{} && scanned_set_ == set_version_.load(std::memory_order_seq_cst) &&
      oldest_ < std::min(limit, settled_floor_))
    retire_oldest();
  else
    scan();
  if (auto slot = take_free()) return slot;
  if (auto slot = retire_until(std::min(limit, lossless_floor_))) return slot;
  if (live_) return retire_until(limit);  // a source that cannot wait lets the laggard go
  return std::nullopt;
}

std::uint64_t RingWriter::history_begin() const noexcept {
  const std::uint64_t history = view_.geometry.history;
  return next_sequence_ > history ? next_sequence_ - history : 0;
}

void RingWriter::release(std::uint32_t slot) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
  if ((kept_[slot / 64] & bit) != 0) {
    kept_[slot / 64] &= ~bit;
    return;
  }
  view_.slots[slot].state.store(slot_word(0, SlotState::free), std::memory_order_relaxed);
  reusable_[slot / 64] |= bit;
  free_[slot / 64] |= bit;
}

std::int64_t RingWriter::publish(std::uint32_t slot, const PublishRequest& request,
                                 ReaderWaker& waker) noexcept {
  const std::uint64_t sequence = next_sequence_++;
  SlotHeader& header = view_.slots[slot];
  SlotRecord record{};
  record.sequence = sequence;
  record.kind = static_cast<std::uint8_t>(request.info.kind);
  record.flags = request.info.flags;
  record.format_id = static_cast<std::uint16_t>(request.format_id);
  record.segment_id = static_cast<std::uint16_t>(request.segment_id);
  record.tags_id = static_cast<std::uint16_t>(request.tags_id);
  record.checksum_mode = static_cast<std::uint8_t>(view_.geometry.checksum_mode);
  record.payload_bytes = request.payload_bytes;
  record.side_data_bytes = request.side_data_bytes;
  record.payload_checksum = request.payload_checksum;
  record.side_data_checksum = request.side_data_checksum;
  record.pts_ns = request.info.pts_ns;
  record.dts_ns = request.info.dts_ns;
  record.duration_ns = request.info.duration_ns;
  record.capture_ns = request.info.capture_ns;
  record.offset = request.info.offset;
  record.offset_end = request.info.offset_end;
  record.plane_count = static_cast<std::uint8_t>(request.plane_count);
  if (request.planes != nullptr) {
    record.planes_listed = 1;
    for (std::uint32_t plane = 0; plane < request.plane_count; ++plane) {
      record.plane_offset_bytes[plane] = request.planes->planes[plane].offset_bytes;
      record.plane_stride_bytes[plane] = request.planes->planes[plane].stride_bytes;
    }
  }
  record.publish_ns = monotonic_ns();
  copy_record(header.record, record);
  header.header_checksum = header_checksum(record);
  slot_of_sequence_[sequence & (view_.geometry.ring_words - 1)] = static_cast<std::uint16_t>(slot);
  if ((record.flags & kKeyFrame) != 0 && request.info.kind == FrameKind::media)
    view_.header->last_key.store(sequence, std::memory_order_relaxed);  // a hint; made visible by head

  // Its locked store also empties the buffers: non-temporal stores that filled the slot, which a release
  // store does not order on x86 (a locked operation does: Intel SDM volume 3, 8.2.2 and 11.3.1; AMD APM
  // volume 2, 7.5), and the header's, because a head store that waits behind others has its line taken back
  // by the readers that spin on it, and costs one more transfer (seen).
  const BusyScope busy(*this);
  // SYNC slot.publish: release, pairs with the load of `state` in RingReader::take.
  header.state.store(slot_word(sequence, SlotState::ready), std::memory_order_release);
  view_.ring_at(sequence).store(ring_word(sequence, slot), std::memory_order_release);
  // SYNC ring.wake: seq_cst, then the tickets; a reader stores its ticket, then looks at head.
  view_.header->head.store(ring_word(sequence, slot), std::memory_order_seq_cst);

  wake_due(next_sequence_, waker);
  return record.publish_ns;
}

void RingWriter::wake_due(std::uint64_t reached, ReaderWaker& waker) noexcept {
  const std::uint32_t limit = entry_limit_.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < limit; ++i) {
    ScanEntry& entry = entries_[i];
    ReaderPage* page = entry.page.load(std::memory_order_seq_cst);  // SYNC ring.scan_set
    if (page == nullptr) continue;
    const std::uint64_t ticket = page->ticket.load(std::memory_order_seq_cst);  // SYNC ring.wake
    if ((ticket & 3) == 0 || (ticket >> 2) > reached || ticket == entry.rung_ticket) continue;
    entry.rung_ticket = ticket;
    waker.wake(i, static_cast<WakeKind>(ticket & 3), *page);
  }
}

void RingWriter::end(ReaderWaker& waker) noexcept {
  const BusyScope busy(*this);
  view_.header->end.store(next_sequence_, std::memory_order_seq_cst);  // SYNC ring.wake
  wake_due(~std::uint64_t{0}, waker);
}

void RingWriter::move(const EpochId& next, ReaderWaker& waker) noexcept {
  const BusyScope busy(*this);
  store_next_epoch(view_, next);
  view_.header->moved.store(next_sequence_, std::memory_order_seq_cst);  // SYNC ring.wake
  wake_due(~std::uint64_t{0}, waker);
}

void RingWriter::announce_wait(bool waiting) noexcept {
  // SYNC ring.waiting: seq_cst, then cursors and pins; a reader changes these, then looks at the flag.
  view_.header->writer_waiting.store(waiting ? 1 : 0, std::memory_order_seq_cst);
}

std::optional<ReaderMask> RingWriter::blockers() noexcept {
  const BusyScope busy(*this);
  scan();
  if (free_ != PinSet{} || unpinned_below(std::min(history_begin(), lossless_floor_)))
    return std::nullopt;      // let go since acquire() looked
  PinSet wanted = reusable_;  // what could be had, were it not pinned
  for (std::uint64_t sequence = oldest_; sequence < std::min(history_begin(), lossless_floor_); ++sequence)
    wanted[slot_of_frame(sequence) / 64] |= std::uint64_t{1} << (slot_of_frame(sequence) % 64);
  ReaderMask behind = 0;
  ReaderMask pinning = 0;
  const std::uint32_t limit = entry_limit_.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < limit; ++i) {
    ScanEntry& entry = entries_[i];
    ReaderPage* page = entry.page.load(std::memory_order_seq_cst);  // SYNC ring.scan_set
    if (page == nullptr || entry.hostile.load(std::memory_order_relaxed)) continue;
    if (entry.lossless.load(std::memory_order_relaxed) && !entry.demoted.load(std::memory_order_relaxed) &&
        believed_cursor(entry, *page) <= lossless_floor_)
      behind |= ReaderMask{1} << i;
    for (std::uint32_t word = 0; word < pin_words_; ++word) {
      if ((page->pins[word].load(std::memory_order_relaxed) & wanted[word]) != 0)
        pinning |= ReaderMask{1} << i;
    }
  }
  // Pins are to blame only when no lossless reader holds back what comes behind them.
  if (lossless_floor_ >= history_begin()) return pinning;
  if (behind == 0) return std::nullopt;  // it moved on since
  return behind;
}

std::uint64_t RingWriter::cursor_of(std::uint32_t index) noexcept {
  const BusyScope busy(*this);
  const ReaderPage* page = entries_[index].page.load(std::memory_order_seq_cst);  // SYNC ring.scan_set
  return page == nullptr ? 0 : believed_cursor(entries_[index], *page);
}

std::uint64_t RingWriter::believed_cursor(const ScanEntry& entry, const ReaderPage& page) const noexcept {
  // Acquire: frames below the cursor are done with once their pins are clear (SYNC ring.waiting on the
  // reader's side).
  const std::uint64_t cursor = page.cursor.load(std::memory_order_seq_cst);
  const std::uint64_t floor = entry.floor.load(std::memory_order_relaxed);
  return std::clamp(cursor, floor, std::max(floor, head()));
}

void RingWriter::wait_until_quiet() const noexcept {
  while (busy_.load(std::memory_order_seq_cst)) ::sched_yield();  // SYNC ring.quiet
}

void RingWriter::admit(std::uint32_t index, ReaderPage& page, bool lossless,
                       std::uint32_t max_pins) noexcept {
  ScanEntry& entry = entries_[index];
  entry.lossless.store(lossless, std::memory_order_relaxed);
  entry.max_pins.store(max_pins, std::memory_order_relaxed);
  entry.floor.store(0, std::memory_order_relaxed);
  entry.demoted.store(false, std::memory_order_relaxed);
  entry.hostile.store(false, std::memory_order_relaxed);
  entry.waits.store(0, std::memory_order_relaxed);
  entry.rung_ticket = 0;
  entry_limit_.store(std::max(entry_limit_.load(std::memory_order_relaxed), index + 1),
                     std::memory_order_release);
  entry.page.store(&page, std::memory_order_seq_cst);    // SYNC ring.scan_set
  set_version_.fetch_add(1, std::memory_order_seq_cst);  // behind the page: who sees it sees that
  wait_until_quiet();
}

void RingWriter::grant(std::uint32_t index, std::uint64_t cursor) noexcept {
  ScanEntry& entry = entries_[index];
  entry.page.load(std::memory_order_relaxed)->cursor.store(cursor, std::memory_order_relaxed);
  entry.floor.store(cursor, std::memory_order_release);
}

void RingWriter::replace(std::uint32_t index, ReaderPage& page) noexcept {
  entries_[index].page.store(&page, std::memory_order_seq_cst);  // SYNC ring.scan_set
  set_version_.fetch_add(1, std::memory_order_seq_cst);  // its cursor may be older than the one that was seen
  wait_until_quiet();
}

void RingWriter::remove(std::uint32_t index) noexcept {
  entries_[index].page.store(nullptr, std::memory_order_seq_cst);  // SYNC ring.scan_set
  wait_until_quiet();
}

std::uint64_t RingWriter::head() const noexcept {
  return sequence_of(view_.header->head.load(std::memory_order_acquire)) + 1;
}
std::uint64_t RingWriter::oldest() const noexcept {
  return view_.header->oldest.load(std::memory_order_acquire);
}
std::uint64_t RingWriter::last_key() const noexcept {
  return view_.header->last_key.load(std::memory_order_acquire);
}

}  // namespace reel
