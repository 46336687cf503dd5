// What a stage did with each frame, and when, while somebody asked for it (`reel trace`): a ring of the
// newest spans in the stage's page. Any thread of the stage adds, each reader goes at its own pace, and
// neither waits for the other: a reader that is too slow, or a stage that died over a record, loses spans,
// which are counted and never half of one, half of another.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reel {

enum class SpanKind : std::uint8_t {
  wait = 1,     // for a frame of an input, its reading and checksum included; ends with that frame
  process = 2,  // process() of that frame; one span for each frame of a set
  produce = 3,  // produce(); of no frame
  publish = 4,  // a frame of an output: checksum, hand over, waking its readers
  slot = 5      // for a slot of an output: its readers hold all of them
};

/// Times are nanoseconds of CLOCK_MONOTONIC. A frame is told from all others of its stream by `sequence` and
/// `publish_ns`: a writer that is started anew counts from 1 again.
struct Span {
  SpanKind kind = SpanKind::wait;
  std::uint8_t port = 0;  // index among the page's inputs, or outputs
  std::uint32_t pid = 0, tid = 0;
  std::uint32_t call = 0;  // which call of process() or produce() it belongs to; 0: none
  std::int64_t begin_ns = 0, end_ns = 0;
  std::uint64_t sequence = 0;    // of the frame; 0: of none
  std::int64_t publish_ns = -1;  // when the frame became its readers'
  std::int64_t pts_ns = -1;      // kNoTime: none
};

/// Shared memory; zeros are an empty ring. `taken` counts up for good, also where the slots were given back
/// to the system meanwhile: it lies on a page of its own for that.
struct SpanRing {
  static constexpr std::size_t kSlots = 16'384;
  struct alignas(64) Slot {
    std::atomic<std::uint64_t>
        ticket;  // of the n-th span: 2n + 1 while it is written, 2n + 2 once it is there
    std::array<std::atomic<std::uint64_t>, 7> words;
  };
  alignas(4096) std::atomic<std::uint64_t> taken;  // spans that have, or had, a place
  alignas(4096) std::array<Slot, kSlots> slots;
};

/// Thread-safe, and safe with other processes that add. Never waits.
void add_span(SpanRing& ring, const Span& span) noexcept;

/// Single-thread; the ring may be mapped read-only.
class SpanReader {
 public:
  enum class From { oldest, now };
  SpanReader(const SpanRing& ring, From from) noexcept;

  /// Appends what has come since the last call, oldest first. A span that is still being written is waited
  /// for until the second call after; what comes behind it, too.
  void take(std::vector<Span>& spans);
  /// As take(), for a ring to which nobody adds any more.
  void take_last(std::vector<Span>& spans);
  /// Spans that were overwritten, or never finished, before they were taken.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  static constexpr int kPatience = 2;  // calls of take()

  const SpanRing& ring_;
  std::uint64_t next_ = 0;  // to take
  std::uint64_t lost_ = 0;
  int waited_ = 0;  // calls for the next one
};

}  // namespace reel
