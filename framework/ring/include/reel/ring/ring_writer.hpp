// The writing end of a ring: which slot is filled next, when a frame becomes visible, who must be woken.
// Sleeps nowhere, makes no system call, allocates nothing per frame.
//
// Threads: acquire, cancel, publish, end, move are the data thread's, one thread at a time. admit, grant and
// remove are the service thread's (serialised by its caller); they wait until the data thread is outside of a
// scan, the data thread never waits for them.
//
// Why no slot is overwritten while a reader uses it: the writer stores RETIRED, then reads the pins; the
// reader sets its pin, then reads the state. All four are sequentially consistent, so at least one of the two
// sees the other (SYNC ring.reuse).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <reel/ring/layout.hpp>
#include <reel/ring/stream_memory.hpp>

namespace reel {

inline constexpr std::uint32_t kScanEntries = 64;  // readers of a stream, at most

/// One reader as the data thread sees it.
struct ScanEntry {
  std::atomic<ReaderPage*> page{nullptr};  // nullptr: no reader here. SYNC ring.scan_set
  // Written before `page`:
  std::atomic<bool> lossless{false};
  std::atomic<std::uint32_t> max_pins{0};
  // Written by either thread:
  std::atomic<std::uint64_t> floor{0};  // where it began: a cursor below it is not believed
  std::atomic<bool> demoted{false};     // its cursor holds nothing back any more
  std::atomic<bool> hostile{false};     // broke its quota: its pins do not count, it is to be disconnected
  std::atomic<std::uint64_t> waits{0};  // times the writer waited because of it
  // The data thread's own:
  std::uint64_t rung_ticket = 0;  // already woken for
};

/// What a frame is published with; the rest of its SlotRecord is filled in here.
struct PublishRequest {
  FrameInfo info;
  std::uint32_t format_id = 0, segment_id = 0, tags_id = 0;
  std::uint64_t payload_bytes = 0, side_data_bytes = 0;
  std::uint64_t payload_checksum = 0, side_data_checksum = 0;
  std::uint32_t plane_count = 0;
  const VideoLayout* planes = nullptr;  // null: as in the default layout of the format
};

/// Bit i: entry i of the scan set.
using ReaderMask = std::uint64_t;

/// Wakes a sleeping reader; called by the data thread while the reader cannot be removed. Must not block.
class ReaderWaker {
 public:
  virtual void wake(std::uint32_t index, WakeKind kind, ReaderPage& page) noexcept = 0;

 protected:
  ~ReaderWaker() = default;
};

class RingWriter {
 public:
  /// REQUIRES: `view` outlives this; at most `slots - history - 1` slots are acquired or kept at a time.
  RingWriter(const StreamView& view, bool live);

  // --- data thread ---

  /// A slot to fill, or nothing when lossless readers or pins hold every one.
  [[nodiscard]] std::optional<std::uint32_t> acquire() noexcept;
  /// Gives back a slot that was acquired and not published, or published and kept.
  void release(std::uint32_t slot) noexcept;
  /// Makes an acquired, filled slot the newest frame; wakes the readers whose tickets are due.
  /// Returns the publish_ns of its record.
  std::int64_t publish(std::uint32_t slot, const PublishRequest& request, ReaderWaker& waker) noexcept;
  /// A published slot is still looked at on this side: it is not acquired again before it was released.
  void keep(std::uint32_t slot) noexcept { kept_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
  /// End of stream behind the newest frame; wakes every sleeper.
  void end(ReaderWaker& waker) noexcept;
  /// This memory takes no more frames, the stream goes on in that of epoch `next`; wakes every sleeper.
  void move(const EpochId& next, ReaderWaker& waker) noexcept;

  /// Announces that the writer is about to sleep: to be followed by one more acquire().
  void announce_wait(bool waiting) noexcept;
  /// The readers that keep acquire() from succeeding: the lossless ones that are furthest behind, else those
  /// that pin what could be taken. Nothing when nobody does any more: acquire() will find a slot, or somebody
  /// else to blame.
  [[nodiscard]] std::optional<ReaderMask> blockers() noexcept;

  /// True once after a reader broke its quota (ScanEntry::hostile).
  [[nodiscard]] bool take_hostile() noexcept { return std::exchange(hostile_seen_, false); }
  /// Where a reader of the scan set stands; 0 when there is none.
  [[nodiscard]] std::uint64_t cursor_of(std::uint32_t index) noexcept;

  [[nodiscard]] std::uint64_t next_sequence() const noexcept { return next_sequence_; }

  // --- service thread ---

  /// Puts a reader into the scan set, protecting everything that is kept, and waits until the data thread
  /// cannot be retiring by an older set. From here on head and oldest can be read and the cursor granted.
  /// The entry is empty, or holds a page without tickets, which nobody looks at any more afterwards: what
  /// that one protects is protected all the time.
  void admit(std::uint32_t index, ReaderPage& page, bool lossless, std::uint32_t max_pins) noexcept;
  /// Lets the reader begin at `cursor`. Before its descriptors are sent.
  void grant(std::uint32_t index, std::uint64_t cursor) noexcept;
  /// Another page for the same reader, with its cursor, which protects what is to be kept; waits until
  /// nobody looks at the old one any more.
  void replace(std::uint32_t index, ReaderPage& page) noexcept;
  /// Takes the reader out and waits until nobody looks at its page any more.
  void remove(std::uint32_t index) noexcept;

  // --- any thread ---
  [[nodiscard]] ScanEntry& entry(std::uint32_t index) noexcept { return entries_[index]; }
  [[nodiscard]] std::uint64_t head() const noexcept;  // next sequence, as published
  [[nodiscard]] std::uint64_t oldest() const noexcept;
  [[nodiscard]] std::uint64_t last_key() const noexcept;
  /// A reader's cursor within what can be true.
  [[nodiscard]] std::uint64_t believed_cursor(const ScanEntry& entry, const ReaderPage& page) const noexcept;

 private:
  using PinSet = std::array<std::uint64_t, kPinWords>;

  /// Looks at every reader's pins and cursor: sets free_, held_, the floors and scanned_set_.
  void scan() noexcept;
  /// What a reader pins, as one look showed it; nothing when it breaks its quota.
  [[nodiscard]] std::optional<PinSet> pins_of(const ScanEntry& entry, const ReaderPage& page) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> take_free() noexcept;
  void retire_one() noexcept;     // the oldest frame
  void retire_oldest() noexcept;  // and looks at the readers
  [[nodiscard]] bool few_slots_suffice() const noexcept;
  void retire_finished() noexcept;  // what lossless readers are done with, where few slots suffice
  [[nodiscard]] std::optional<std::uint32_t> retire_until(std::uint64_t limit) noexcept;
  [[nodiscard]] bool unpinned_below(std::uint64_t limit) const noexcept;
  [[nodiscard]] std::uint32_t slot_of_frame(std::uint64_t sequence) const noexcept {
    return slot_of_sequence_[sequence & (view_.geometry.ring_words - 1)];
  }
  [[nodiscard]] std::uint64_t history_begin() const noexcept;  // frames from here on are never taken back
  void wait_until_quiet() const noexcept;
  void wake_due(std::uint64_t reached, ReaderWaker& waker) noexcept;

  class BusyScope;

  StreamView view_;
  bool live_;
  std::uint32_t slots_;
  std::uint32_t pin_words_;  // words of the pin bitmaps in use
  std::uint64_t
      next_sequence_;  // data thread's own copies of what it publishes: shared memory is never read back
  std::uint64_t oldest_;
  bool hostile_seen_ = false;
  PinSet reusable_{};  // FREE and RETIRED slots
  PinSet kept_{};      // published, and held on this side too
  // What the last scan found. It stays true: who pins a retired slot later sees that it is retired and lets
  // it go, and cursors only grow. Readers that came since make another look necessary before anything is
  // retired.
  PinSet free_{};                                                 // of the reusable slots, those nobody held
  PinSet held_{};                                                 // what anybody held
  std::uint32_t lossless_readers_ = 0, other_readers_ = 0;        // as the last look showed them
  std::uint64_t lossless_floor_ = 0;                              // smallest cursor of a lossless reader
  std::uint64_t settled_floor_ = 0;                               // below it none of them is at work
  std::uint32_t scanned_set_ = ~std::uint32_t{0};                 // set_version_ of then
  std::array<std::uint16_t, kRingSlotLimit> slot_of_sequence_{};  // by ring index
  std::array<ScanEntry, kScanEntries> entries_;
  alignas(64) std::atomic<bool> busy_{false};  // data thread inside a scan. SYNC ring.quiet
  std::atomic<std::uint32_t> entry_limit_{0};  // one past the highest entry ever used
  std::atomic<std::uint32_t> set_version_{0};  // readers admitted. SYNC ring.scan_set
};

}  // namespace reel
