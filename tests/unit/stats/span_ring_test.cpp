#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/stats/span_ring.hpp>

namespace reel {
namespace {

using From = SpanReader::From;

// A ring as a stage's page holds it: zeros, shared with children.
class SharedRing {
 public:
  SharedRing()
      : place_(::mmap(nullptr, sizeof(SpanRing), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
  }
  ~SharedRing() { ::munmap(place_, sizeof(SpanRing)); }
  [[nodiscard]] SpanRing& ring() const { return *static_cast<SpanRing*>(place_); }

 private:
  void* place_;
};

// Every field says which one it is, so that one made of two is seen.
Span numbered(std::uint64_t n) {
  Span span;
  span.kind = static_cast<SpanKind>(1 + n % 5);
  span.port = static_cast<std::uint8_t>(n);
  span.pid = static_cast<std::uint32_t>(n * 3);
  span.tid = static_cast<std::uint32_t>(n * 5);
  span.call = static_cast<std::uint32_t>(n * 7);
  span.begin_ns = static_cast<std::int64_t>(n);
  span.end_ns = static_cast<std::int64_t>(n * 2);
  span.sequence = n;
  span.publish_ns = -static_cast<std::int64_t>(n);
  span.pts_ns = static_cast<std::int64_t>(n * 11);
  return span;
}

bool is_numbered(const Span& span) {
  const Span whole = numbered(span.sequence);
  return span.kind == whole.kind && span.port == whole.port && span.pid == whole.pid &&
         span.tid == whole.tid && span.call == whole.call && span.begin_ns == whole.begin_ns &&
         span.end_ns == whole.end_ns && span.publish_ns == whole.publish_ns && span.pts_ns == whole.pts_ns;
}

TEST(SpanRing, GivesSpansAsTheyWereAdded) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  std::vector<Span> spans;
  reader.take(spans);
  EXPECT_TRUE(spans.empty());
  for (std::uint64_t n = 1; n <= 100; ++n) add_span(shared.ring(), numbered(n));
  reader.take(spans);
  ASSERT_EQ(spans.size(), 100u);
  for (std::uint64_t n = 1; n <= 100; ++n) {
    EXPECT_EQ(spans[n - 1].sequence, n);
    EXPECT_TRUE(is_numbered(spans[n - 1])) << n;
  }
  reader.take(spans);
  EXPECT_EQ(spans.size(), 100u) << "each once";
  EXPECT_EQ(reader.lost(), 0u);
}

TEST(SpanRing, IsReadFromNowOrFromItsOldest) {
  const SharedRing shared;
  add_span(shared.ring(), numbered(1));
  SpanReader all(shared.ring(), From::oldest), later(shared.ring(), From::now);
  add_span(shared.ring(), numbered(2));
  std::vector<Span> spans;
  all.take(spans);
  EXPECT_EQ(spans.size(), 2u);
  spans.clear();
  later.take(spans);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].sequence, 2u);
}

TEST(SpanRing, CountsWhatWasOverwrittenBeforeItWasTaken) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  for (std::uint64_t n = 1; n <= SpanRing::kSlots + 100; ++n) add_span(shared.ring(), numbered(n));
  std::vector<Span> spans;
  reader.take(spans);
  EXPECT_EQ(spans.size(), SpanRing::kSlots);
  EXPECT_EQ(reader.lost(), 100u);
  EXPECT_EQ(spans.front().sequence, 101u);
  EXPECT_TRUE(std::all_of(spans.begin(), spans.end(), is_numbered));
}

TEST(SpanRing, LosesTheOneThatWasNeverFinishedAndNoOther) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  add_span(shared.ring(), numbered(1));
  shared.ring().taken.fetch_add(1, std::memory_order_relaxed);  // a process died here
  shared.ring().slots[1].ticket.store(3, std::memory_order_relaxed);
  add_span(shared.ring(), numbered(3));
  std::vector<Span> spans;
  reader.take(spans);
  EXPECT_EQ(spans.size(), 1u) << "it may still come";
  EXPECT_EQ(reader.lost(), 0u);
  for (int look = 0; look < 3; ++look) reader.take(spans);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].sequence, 3u);
  EXPECT_EQ(reader.lost(), 1u);
  // Whoever comes by a round later leaves the slot alone.
  for (std::uint64_t n = 4; n <= SpanRing::kSlots + 4; ++n) add_span(shared.ring(), numbered(n));
  spans.clear();
  reader.take(spans);
  reader.take_last(spans);
  EXPECT_EQ(spans.size(), SpanRing::kSlots - 1);
  EXPECT_TRUE(std::all_of(spans.begin(), spans.end(), is_numbered));
}

TEST(SpanRing, DoesNotWaitAtItsEndForWhatNeverComes) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  for (std::uint64_t n = 1; n <= 5; ++n) add_span(shared.ring(), numbered(n));
  shared.ring().slots[1].ticket.store(0, std::memory_order_relaxed);
  shared.ring().slots[3].ticket.store(0, std::memory_order_relaxed);
  std::vector<Span> spans;
  reader.take_last(spans);
  EXPECT_EQ(spans.size(), 3u);
  EXPECT_EQ(reader.lost(), 2u);
}

TEST(SpanRing, BelievesNothingThatNoStageWrites) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  for (std::uint64_t n = 1; n <= 3; ++n) add_span(shared.ring(), numbered(n));
  shared.ring().slots[0].words[2].store(~std::uint64_t{0}, std::memory_order_relaxed);  // its kind
  shared.ring().slots[1].words[1].store(1, std::memory_order_relaxed);  // ends before it begins
  std::vector<Span> spans;
  reader.take(spans);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].sequence, 3u);
  EXPECT_EQ(reader.lost(), 2u);
  shared.ring().taken.store(0, std::memory_order_relaxed);  // goes back
  reader.take(spans);
  shared.ring().taken.store(~std::uint64_t{0}, std::memory_order_relaxed);
  reader.take(spans);
  EXPECT_EQ(spans.size(), 1u);
}

// Two add, one reads that is far too slow at times: none is made of two, none comes twice, none is missing
// uncounted.
TEST(SpanRing, NeverGivesOneMadeOfTwoThreads) {
  constexpr std::uint64_t kEach = 200'000;
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  std::atomic<int> at_work{2};
  const auto add_all = [&](std::uint64_t first) {
    for (std::uint64_t n = first; n <= 2 * kEach; n += 2) add_span(shared.ring(), numbered(n));
    at_work.fetch_sub(1, std::memory_order_release);
  };
  std::thread odd(add_all, 1), even(add_all, 2);
  std::vector<Span> spans;
  while (at_work.load(std::memory_order_acquire) != 0) {
    reader.take(spans);
    std::this_thread::yield();
  }
  odd.join();
  even.join();
  reader.take_last(spans);
  EXPECT_EQ(spans.size() + reader.lost(), 2 * kEach);
  EXPECT_TRUE(std::all_of(spans.begin(), spans.end(), is_numbered));
  std::uint64_t last_odd = 0, last_even = 0;
  for (const Span& span : spans) {
    std::uint64_t& last = span.sequence % 2 != 0 ? last_odd : last_even;
    EXPECT_LT(last, span.sequence) << "one thread's come in its order";
    last = span.sequence;
  }
}

// A record that is only just written again while it is read: the reader's two looks at the ticket.
TEST(SpanRing, NeverGivesOneMadeOfTwoRounds) {
  const SharedRing shared;
  std::atomic<bool> over{false};
  std::thread adds([&] {
    for (std::uint64_t n = 1; !over.load(std::memory_order_relaxed); ++n)
      add_span(shared.ring(), numbered(n));
  });
  std::uint64_t taken = 0;
  bool all_whole = true;
  std::vector<Span> spans;
  while (all_whole && shared.ring().taken.load(std::memory_order_relaxed) < 50 * SpanRing::kSlots) {
    // Begins where the ring is overwritten next.
    SpanReader reader(shared.ring(), From::oldest);
    spans.clear();
    reader.take(spans);
    taken += spans.size();
    all_whole = std::all_of(spans.begin(), spans.end(), is_numbered);
  }
  over.store(true, std::memory_order_relaxed);
  adds.join();
  EXPECT_TRUE(all_whole);
  EXPECT_GT(taken, 0u);
}

TEST(SpanRing, GoesOnAfterAProcessThatWasKilledWhileItAdded) {
  const SharedRing shared;
  SpanReader reader(shared.ring(), From::now);
  std::vector<Span> spans;
  for (int life = 0; life < 20; ++life) {
    const std::uint64_t before = shared.ring().taken.load(std::memory_order_relaxed);
    const pid_t child = ::fork();
    if (child == 0)
      for (std::uint64_t n = 1;; ++n) add_span(shared.ring(), numbered(n));
    while (shared.ring().taken.load(std::memory_order_relaxed) < before + 1000) reader.take(spans);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  reader.take_last(spans);
  EXPECT_EQ(spans.size() + reader.lost(), shared.ring().taken.load(std::memory_order_relaxed));
  EXPECT_TRUE(std::all_of(spans.begin(), spans.end(), is_numbered));
}

}  // namespace
}  // namespace reel
