#include <reel/ring/ring_reader.hpp>

#include <algorithm>

#include <reel/ring/header_checksum.hpp>

namespace reel {
namespace {

// A writer that laps us at every try is faster than we can ever be: say empty after so many, and let the
// caller breathe.
constexpr int kTries = 64;

}  // namespace

RingReader::RingReader(const StreamView& view, ReaderPage& page) noexcept
    : view_(view),
      page_(&page),
      pin_words_((view.geometry.slots + 63) / 64),
      // The writer granted it before the page was sent.
      // May be older than this memory, of a reader that resumes: what it missed is counted as lapped.
      cursor_(std::max(page.cursor.load(std::memory_order_acquire), kFirstSequence)) {}

void RingReader::advance(std::uint64_t cursor) noexcept {
  cursor_ = cursor;
  // SYNC ring.waiting: before the look at writer_waiting in unpin(), which every frame passed over or taken
  // comes to.
  page_->cursor.store(cursor, std::memory_order_release);
}

// Frames that are not taken: nothing is unpinned after them, so the look at the flag belongs here.
void RingReader::pass_over(std::uint64_t cursor) noexcept {
  cursor_ = cursor;
  page_->cursor.store(cursor, std::memory_order_seq_cst);  // SYNC ring.waiting
  if (view_.header->writer_waiting.load(std::memory_order_seq_cst) != 0) kick_owed_ = true;
}

std::uint64_t RingReader::resume_point(std::uint64_t head, bool key_frames) const noexcept {
  const std::uint64_t oldest = std::clamp(view_.header->oldest.load(std::memory_order_acquire), cursor_ + 1,
                                          std::max(head, cursor_ + 1));
  if (!key_frames) return oldest;
  const std::uint64_t key = view_.header->last_key.load(std::memory_order_acquire);
  return key >= oldest && key < head ? key : oldest;
}

TakeStatus RingReader::take(const TakeRules& rules, TakenSlot& taken, TakeCounters& counters) noexcept {
  for (int tries = 0; tries < kTries; ++tries) {
    // SYNC slot.publish: acquire, pairs with the store of head in RingWriter::publish.
    const std::uint64_t newest_word = view_.header->head.load(std::memory_order_acquire);
    const std::uint64_t head = sequence_of(newest_word) + 1;
    if (cursor_ >= head) {
      // End and move are stored after the last head: whoever sees them sees that head, so look at it again.
      const bool ended = view_.header->end.load(std::memory_order_acquire) != 0;
      const bool moved = view_.header->moved.load(std::memory_order_acquire) != 0;
      if (!ended && !moved) {
        // The writer's scan took the line: ask it back while there is nothing else to do, the next frame's
        // pin is set at once.
        __builtin_prefetch(page_, 1);
        return TakeStatus::empty;
      }
      if (sequence_of(view_.header->head.load(std::memory_order_acquire)) + 1 > cursor_) continue;
      return moved ? TakeStatus::moved : TakeStatus::ended;
    }

    std::uint64_t wanted = cursor_;
    if (rules.newest) {
      wanted = head - 1;
      if (rules.key_frames) {
        const std::uint64_t key = view_.header->last_key.load(std::memory_order_acquire);
        wanted = key >= cursor_ && key < head ? key : cursor_;
      }
    }
    switch (attempt(wanted, newest_word, taken)) {
      case Attempt::taken:
        counters.skipped += wanted - cursor_;
        advance(wanted + 1);
        if (wait_for_key_ && (taken.record.flags & kKeyFrame) == 0 &&
            taken.record.kind == static_cast<std::uint32_t>(FrameKind::media)) {
          ++counters.skipped;
          kick_owed_ = unpin(taken.slot) || kick_owed_;
          continue;
        }
        wait_for_key_ = false;
        return TakeStatus::taken;
      case Attempt::corrupted:
        counters.skipped += wanted - cursor_;
        ++counters.corrupted;
        pass_over(wanted + 1);
        return TakeStatus::corrupted;
      case Attempt::overtaken: {
        if (rules.newest && !rules.key_frames) break;  // a newer one is there by now
        const std::uint64_t next = resume_point(head, rules.key_frames);
        counters.lapped += next - cursor_;
        wait_for_key_ = rules.key_frames;
        pass_over(next);
        break;
      }
    }
  }
  return TakeStatus::empty;
}

RingReader::Attempt RingReader::attempt(std::uint64_t sequence, std::uint64_t newest_word,
                                        TakenSlot& taken) noexcept {
  const std::uint64_t word = sequence_of(newest_word) == sequence
                                 ? newest_word  // spares a line: the head carries its slot
                                 : view_.ring_at(sequence).load(std::memory_order_acquire);
  if (sequence_of(word) != sequence || sequence < view_.geometry.first_sequence) return Attempt::overtaken;
  const std::uint32_t slot = slot_of(word);
  if (slot >= view_.geometry.slots) return Attempt::corrupted;
  const SlotHeader& header = view_.slots[slot];
  __builtin_prefetch(&header);
  __builtin_prefetch(reinterpret_cast<const std::byte*>(&header) + 64);

  const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
  // SYNC ring.reuse: seq_cst, then the state; the writer stores RETIRED, then reads the pins.
  page_->pins[slot / 64].fetch_or(bit, std::memory_order_seq_cst);
  if (header.state.load(std::memory_order_seq_cst) != slot_word(sequence, SlotState::ready)) {
    (void)unpin(slot);
    return Attempt::overtaken;
  }
  taken.slot = slot;
  copy_record(taken.record, header.record);
  const std::uint64_t claimed = header.header_checksum;
  if (header_checksum(taken.record) != claimed || !plausible(taken.record, sequence)) {
    (void)unpin(slot);
    return Attempt::corrupted;
  }
  return Attempt::taken;
}

bool RingReader::plausible(const SlotRecord& record, std::uint64_t sequence) const noexcept {
  const StreamGeometry& geometry = view_.geometry;
  return record.sequence == sequence && record.payload_bytes <= geometry.slot_bytes &&
         record.side_data_bytes <= geometry.side_data_bytes && record.kind >= 1 && record.kind <= 3 &&
         record.format_id <= kFormatRecords && record.segment_id <= kSegmentRecords &&
         record.tags_id <= kTagsRecords && record.checksum_mode <= 2 && record.plane_count <= kMaxPlanes &&
         record.planes_listed <= 1;
}

bool RingReader::unpin(std::uint32_t slot) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
  // SYNC ring.unpin: at least release: our last read of the slot comes before the writer's scan that finds
  // the bit clear. SYNC ring.waiting: seq_cst, before the look at the flag.
  page_->pins[slot / 64].fetch_and(~bit, std::memory_order_seq_cst);
  return view_.header->writer_waiting.load(std::memory_order_seq_cst) != 0;
}

std::uint32_t RingReader::pins() const noexcept {
  std::uint32_t count = 0;
  for (std::uint32_t word = 0; word < pin_words_; ++word) {
    for (std::uint64_t rest = page_->pins[word].load(std::memory_order_relaxed); rest != 0; rest &= rest - 1)
      ++count;
  }
  return count;
}

bool RingReader::ready() const noexcept {
  // SYNC ring.wake: seq_cst, after the ticket.
  return sequence_of(view_.header->head.load(std::memory_order_seq_cst)) + 1 > cursor_ ||
         view_.header->end.load(std::memory_order_seq_cst) != 0 ||
         view_.header->moved.load(std::memory_order_seq_cst) != 0;
}

bool RingReader::arm(WakeKind kind) noexcept {
  // The writer rings when its next sequence is at least this: when frame `cursor_` is there.
  page_->ticket.store(ticket_word(cursor_ + 1, kind), std::memory_order_seq_cst);  // SYNC ring.wake
  if (!ready()) return true;
  disarm();
  return false;
}

void RingReader::disarm() noexcept {
  page_->ticket.store(0, std::memory_order_relaxed);
}

void RingReader::publish_counters(const TakeCounters& counters) noexcept {
  page_->delivered.store(counters.delivered, std::memory_order_relaxed);
  page_->verified.store(counters.verified, std::memory_order_relaxed);
  page_->corrupted.store(counters.corrupted, std::memory_order_relaxed);
  page_->skipped.store(counters.skipped, std::memory_order_relaxed);
  page_->lapped.store(counters.lapped, std::memory_order_relaxed);
}

}  // namespace reel
