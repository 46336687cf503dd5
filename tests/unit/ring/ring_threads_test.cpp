// A writer and three readers as threads over one mapping, so that ThreadSanitizer sees what the processes do:
// the payload is written and read with ordinary accesses, and every byte read is compared. The same program
// is also built from sources with one memory order weakened; there the sanitizer must report a race
// (tests/unit/ring/CMakeLists.txt).
#include "ring_fixture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace reel {
namespace {

constexpr std::uint64_t kFrames = 20'000;
constexpr std::size_t kWords = 64;  // of payload

class RunningReader {
 public:
  RunningReader(Ring& ring, bool lossless, TakeRules rules, std::uint32_t max_pins = 2)
      : ring_(ring), reader_(ring.join(lossless, max_pins)), rules_(rules), thread_([this] { run(); }) {}
  void join() { thread_.join(); }

  TakeCounters counters;
  std::uint64_t taken_count = 0;
  std::uint64_t wrong = 0;
  std::uint64_t disorder = 0;

 private:
  void run() {
    std::uint64_t last = 0;
    for (;;) {
      TakenSlot taken;
      const TakeStatus status = reader_.take(rules_, taken, counters);
      if (status == TakeStatus::ended) return;
      if (status != TakeStatus::taken) {
        std::this_thread::yield();
        continue;
      }
      const auto* words =
          reinterpret_cast<const std::uint64_t*>(ring_.memory.view().slot_payload(taken.slot));
      for (std::size_t i = 0; i < kWords; ++i) wrong += words[i] == taken.record.sequence + i ? 0 : 1;
      disorder += taken.record.sequence > last ? 0 : 1;
      last = taken.record.sequence;
      ++taken_count;
      (void)reader_.unpin(taken.slot);
    }
  }

  Ring& ring_;
  RingReader reader_;
  TakeRules rules_;
  std::thread thread_;
};

void write_all(Ring& ring) {
  for (std::uint64_t frame = 1; frame <= kFrames; ++frame) {
    auto slot = ring.writer.acquire();
    while (!slot) {
      std::this_thread::yield();
      slot = ring.writer.acquire();
    }
    auto* words = reinterpret_cast<std::uint64_t*>(ring.memory.view().slot_payload(*slot));
    for (std::size_t i = 0; i < kWords; ++i) words[i] = frame + i;
    PublishRequest request;
    request.payload_bytes = kWords * sizeof(std::uint64_t);
    ring.writer.publish(*slot, request, ring.wakes);
  }
  ring.writer.end(ring.wakes);
}

TEST(RingThreads, NeverOverwriteWhatIsBeingRead) {
  Ring ring({.slots = 8, .slot_bytes = kWords * sizeof(std::uint64_t)});
  RunningReader lossless(ring, true, {});
  RunningReader queue(ring, false, {});
  RunningReader latest(ring, false, {.newest = true, .key_frames = false});
  write_all(ring);
  for (RunningReader* reader : {&lossless, &queue, &latest}) {
    reader->join();
    EXPECT_EQ(reader->wrong, 0u);
    EXPECT_EQ(reader->disorder, 0u);
    EXPECT_EQ(reader->counters.corrupted, 0u);
    EXPECT_EQ(reader->taken_count + reader->counters.skipped + reader->counters.lapped, kFrames);
  }
  EXPECT_EQ(lossless.taken_count, kFrames);
}

/// Four words of pins: a reader that hops from one to another between the writer's loads is within its quota.
TEST(RingThreads, ReadersOfManySlotsAreNeverTakenForHostile) {
  Ring ring({.slots = 256, .slot_bytes = kWords * sizeof(std::uint64_t)});
  RunningReader lossless(ring, true, {}, 1);
  RunningReader queue(ring, false, {}, 1);
  RunningReader latest(ring, false, {.newest = true, .key_frames = false}, 1);
  write_all(ring);
  for (RunningReader* reader : {&lossless, &queue, &latest}) {
    reader->join();
    EXPECT_EQ(reader->wrong, 0u);
  }
  EXPECT_EQ(lossless.taken_count, kFrames);
  EXPECT_FALSE(ring.writer.take_hostile());
}

TEST(RingThreads, AdmitAndRemoveReadersWhileFramesFlow) {
  Ring ring({.slots = 8, .slot_bytes = kWords * sizeof(std::uint64_t)});
  std::atomic<bool> done{false};
  std::thread service([&] {
    while (!done.load(std::memory_order_relaxed)) {
      auto page = std::make_unique<ReaderPage>();
      ring.writer.admit(5, *page, true, 2);
      const std::uint64_t first = ring.writer.oldest();
      ring.writer.grant(5, first);
      RingReader reader(ring.memory.view(), *page);
      TakenSlot taken;
      TakeCounters counters;
      TakeStatus status = reader.take({}, taken, counters);
      while (status == TakeStatus::empty && !done.load(std::memory_order_relaxed))
        status = reader.take({}, taken, counters);
      if (status == TakeStatus::taken) {
        EXPECT_EQ(taken.record.sequence, std::max<std::uint64_t>(first, 1))
            << "a lossless joiner's first frame exists";
        (void)reader.unpin(taken.slot);
      }
      ring.writer.remove(5);
      page.reset();
    }
  });
  for (std::uint64_t frame = 1; frame <= kFrames / 4; ++frame) {
    auto slot = ring.writer.acquire();
    while (!slot) {
      std::this_thread::yield();
      slot = ring.writer.acquire();
    }
    PublishRequest request;
    ring.writer.publish(*slot, request, ring.wakes);
  }
  done.store(true, std::memory_order_relaxed);
  service.join();
}

}  // namespace
}  // namespace reel
