#include <reel/stats/span_ring.hpp>

#include <algorithm>
#include <bit>
#include <optional>
#include <type_traits>

namespace reel {
namespace {

using Words = std::array<std::uint64_t, 7>;

static_assert(sizeof(SpanRing::Slot) == 64);
static_assert(std::has_single_bit(SpanRing::kSlots));
static_assert(std::is_trivially_destructible_v<SpanRing>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "another process reads it");

Words to_words(const Span& span) noexcept {
  return {
      static_cast<std::uint64_t>(span.begin_ns),
      static_cast<std::uint64_t>(span.end_ns),
      std::uint64_t{static_cast<std::uint8_t>(span.kind)} << 40 | std::uint64_t{span.port} << 32 | span.tid,
      std::uint64_t{span.pid} << 32 | span.call,
      span.sequence,
      static_cast<std::uint64_t>(span.publish_ns),
      static_cast<std::uint64_t>(span.pts_ns)};
}

// nullopt for what no stage of ours writes.
std::optional<Span> from_words(const Words& words) noexcept {
  const std::uint64_t kind = words[2] >> 40;
  Span span;
  span.begin_ns = static_cast<std::int64_t>(words[0]);
  span.end_ns = static_cast<std::int64_t>(words[1]);
  if (kind < static_cast<std::uint8_t>(SpanKind::wait) || kind > static_cast<std::uint8_t>(SpanKind::slot) ||
      span.begin_ns < 0 || span.end_ns < span.begin_ns)
    return std::nullopt;
  span.kind = static_cast<SpanKind>(kind);
  span.port = static_cast<std::uint8_t>(words[2] >> 32);
  span.tid = static_cast<std::uint32_t>(words[2]);
  span.pid = static_cast<std::uint32_t>(words[3] >> 32);
  span.call = static_cast<std::uint32_t>(words[3]);
  span.sequence = words[4];
  span.publish_ns = static_cast<std::int64_t>(words[5]);
  span.pts_ns = static_cast<std::int64_t>(words[6]);
  return span;
}

std::uint64_t written(std::uint64_t n) noexcept {
  return 2 * n + 2;
}

}  // namespace

// A thread that sleeps over its record for a whole round of the ring, or dies, keeps the slot: who comes by
// meanwhile leaves it alone, so that no record is ever made of two.
void add_span(SpanRing& ring, const Span& span) noexcept {
  // relaxed: the number alone; the ticket orders what is written.
  const std::uint64_t n = ring.taken.fetch_add(1, std::memory_order_relaxed);
  SpanRing::Slot& slot = ring.slots[n % SpanRing::kSlots];
  std::uint64_t before = slot.ticket.load(std::memory_order_relaxed);
  const std::uint64_t writing = written(n) - 1;
  // SYNC span.claim: acquire, pairs with the release of whoever wrote the slot a round ago.
  if (before % 2 != 0 || before > writing ||
      !slot.ticket.compare_exchange_strong(before, writing, std::memory_order_acquire,
                                           std::memory_order_relaxed))
    return;
  const Words words = to_words(span);
  // SYNC span.word: release, pairs with the acquire in SpanReader::take: who sees a word sees the claim of
  // its slot as well, and takes no record that is half another.
  for (std::size_t i = 0; i < words.size(); ++i) slot.words[i].store(words[i], std::memory_order_release);
  // SYNC span.written: release, pairs with the acquire of the ticket in SpanReader::take.
  slot.ticket.store(written(n), std::memory_order_release);
}

SpanReader::SpanReader(const SpanRing& ring, From from) noexcept : ring_(ring) {
  const std::uint64_t taken = ring.taken.load(std::memory_order_relaxed);
  next_ = from == From::now ? taken : taken - std::min<std::uint64_t>(taken, SpanRing::kSlots);
}

void SpanReader::take(std::vector<Span>& spans) {
  const std::uint64_t taken = ring_.taken.load(std::memory_order_relaxed);
  if (taken - next_ > SpanRing::kSlots && taken > next_) {
    lost_ += taken - next_ - SpanRing::kSlots;
    next_ = taken - SpanRing::kSlots;
    waited_ = 0;
  }
  for (; next_ < taken; ++next_, waited_ = 0) {
    const SpanRing::Slot& slot = ring_.slots[next_ % SpanRing::kSlots];
    // SYNC span.written: acquire, pairs with the release in add_span.
    const std::uint64_t ticket = slot.ticket.load(std::memory_order_acquire);
    if (ticket < written(next_) && waited_++ < kPatience) return;
    Words words;
    // SYNC span.word: acquire, pairs with the release in add_span; then the ticket again.
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = slot.words[i].load(std::memory_order_acquire);
    const bool whole =
        ticket == written(next_) && slot.ticket.load(std::memory_order_relaxed) == written(next_);
    const std::optional<Span> span = whole ? from_words(words) : std::nullopt;
    if (span)
      spans.push_back(*span);
    else
      ++lost_;
  }
}

void SpanReader::take_last(std::vector<Span>& spans) {
  const std::uint64_t taken = ring_.taken.load(std::memory_order_relaxed);
  for (std::uint64_t before = next_ + 1; next_ < taken && next_ != before;) {
    before = next_;
    waited_ = kPatience;
    take(spans);
  }
}

}  // namespace reel
