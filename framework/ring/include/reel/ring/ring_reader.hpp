// The reading end of a ring over one epoch's memory: takes frames by policy, pins and unpins slots, never
// trusts a byte of control. Sleeps nowhere, makes no system call, allocates nothing. Single-thread, but for
// unpin().
#pragma once

#include <cstdint>
#include <utility>

#include <reel/ring/layout.hpp>
#include <reel/ring/stream_memory.hpp>

namespace reel {

enum class TakeStatus {
  taken,
  empty,     // nothing newer than the cursor
  ended,     // end of stream, and everything owed was taken
  moved,     // the stream goes on in other memory, and everything owed of this one was taken
  corrupted  // a header that cannot be right: the frame was passed over and counted
};

/// A pinned slot and a private, checked copy of its header.
struct TakenSlot {
  std::uint32_t slot = 0;
  SlotRecord record{};
};

/// Counters of a reader over all epochs; mirrored into its page.
struct TakeCounters {
  std::uint64_t delivered = 0, verified = 0, corrupted = 0, skipped = 0, lapped = 0;
};

/// How frames are chosen.
struct TakeRules {
  bool newest = false;      // policy latest
  bool key_frames = false;  // an encoded stream: go on at key frames only, after a jump
};

class RingReader {
 public:
  /// REQUIRES: `view` was checked (MappedStreamMemory) and outlives this, as does `page`.
  RingReader(const StreamView& view, ReaderPage& page) noexcept;

  /// The next frame by `rules`. On `taken` the slot is pinned; the cursor is past it. Counts skipped and
  /// lapped.
  [[nodiscard]] TakeStatus take(const TakeRules& rules, TakenSlot& taken, TakeCounters& counters) noexcept;

  /// Lets a slot go. Returns true when the writer waits and must be sent a byte. Thread-safe.
  [[nodiscard]] bool unpin(std::uint32_t slot) noexcept;

  /// True once after take() passed over frames that a waiting writer waits for: it must be sent a byte.
  [[nodiscard]] bool take_owed_kick() noexcept { return std::exchange(kick_owed_, false); }

  /// Slots held now.
  [[nodiscard]] std::uint32_t pins() const noexcept;

  /// Writes the ticket, then looks again. Returns false (and takes the ticket back) when there is something
  /// to take or tell.
  [[nodiscard]] bool arm(WakeKind kind) noexcept;
  void disarm() noexcept;

  /// For an encoded stream that is joined at a key frame: what comes before the first is passed over.
  void begin_at_key_frame() noexcept { wait_for_key_ = true; }

  /// True when take() would not say `empty`.
  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] std::uint64_t cursor() const noexcept { return cursor_; }
  void publish_counters(const TakeCounters& counters) noexcept;

  [[nodiscard]] ReaderPage& page() const noexcept { return *page_; }

 private:
  enum class Attempt { taken, overtaken, corrupted };
  [[nodiscard]] Attempt attempt(std::uint64_t sequence, std::uint64_t newest_word, TakenSlot& taken) noexcept;
  [[nodiscard]] bool plausible(const SlotRecord& record, std::uint64_t sequence) const noexcept;
  [[nodiscard]] std::uint64_t resume_point(std::uint64_t head, bool key_frames) const noexcept;
  void advance(std::uint64_t cursor) noexcept;
  void pass_over(std::uint64_t cursor) noexcept;

  StreamView view_;
  ReaderPage* page_;
  std::uint32_t pin_words_;
  std::uint64_t cursor_;  // own copy: the page's is for the writer
  bool kick_owed_ = false;
  bool wait_for_key_ = false;  // after a jump on an encoded stream
};

}  // namespace reel
