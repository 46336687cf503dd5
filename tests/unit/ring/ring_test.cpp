// The ring's promises, one thread, one mapping.
#include "ring_fixture.hpp"

#include <array>
#include <deque>
#include <set>

#include <gtest/gtest.h>

namespace reel {
namespace {

constexpr TakeRules kInOrder{};
constexpr TakeRules kNewest{.newest = true, .key_frames = false};

TEST(RingWriter, NumbersFramesFromOne) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 1u);
  EXPECT_EQ(ring.payload(taken), 1u);
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::empty);
}

TEST(RingWriter, LendsSeveralSlotsAndOrdersFramesByPublish) {
  Ring ring;
  RingReader reader = ring.join(false);
  const auto first = ring.writer.acquire();
  const auto second = ring.writer.acquire();
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  ring.publish_slot(*second);
  ring.publish_slot(*first);
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.slot, *second);
}

TEST(RingWriter, TakesACancelledSlotAgain) {
  Ring ring({.slots = 2, .history = 0});
  const auto first = ring.writer.acquire();
  const auto second = ring.writer.acquire();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(ring.writer.acquire());
  ring.writer.release(*first);
  EXPECT_EQ(ring.writer.acquire(), first);
}

TEST(RingWriter, WaitsForALosslessReaderAndGoesOnWhenItLetsGo) {
  Ring ring;
  RingReader reader = ring.join(true);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish());
  EXPECT_EQ(ring.writer.blockers(), 1u);
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_FALSE(ring.publish()) << "the slot is past the cursor, but pinned";
  EXPECT_FALSE(reader.unpin(taken.slot)) << "nobody announced to wait";
  EXPECT_TRUE(ring.publish());
}

TEST(RingReader, TellsAWaitingWriterThatASlotWasLetGo) {
  Ring ring;
  RingReader reader = ring.join(true);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.publish());
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  ring.writer.announce_wait(true);
  EXPECT_TRUE(reader.unpin(taken.slot));
}

TEST(RingWriter, NeverWaitsForAQueueReaderAndCountsWhatItLaps) {
  Ring ring;
  RingReader reader = ring.join(false);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ring.publish());
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 7u) << "the oldest of the four that are kept";
  EXPECT_EQ(counters.lapped, 6u);
  EXPECT_EQ(ring.payload(taken), 7u);
}

TEST(RingReader, TakesTheNewestAndCountsWhatItSkips) {
  Ring ring;
  RingReader reader = ring.join(false);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ring.publish());
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kNewest, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 3u);
  EXPECT_EQ(counters.skipped, 2u);
}

TEST(RingWriter, LeavesAPinnedSlotAloneAndTakesItOnceItIsLetGo) {
  Ring ring;
  RingReader holder = ring.join(false);
  ASSERT_TRUE(ring.publish());
  TakenSlot held;
  TakeCounters counters;
  ASSERT_EQ(holder.take(kInOrder, held, counters), TakeStatus::taken);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(ring.publish());
    ASSERT_EQ(ring.payload(held), 1u) << "overwritten under its reader";
  }
  (void)holder.unpin(held.slot);
  bool reused = false;
  for (int i = 0; i < 8 && !reused; ++i) {
    const auto slot = ring.writer.acquire();
    ASSERT_TRUE(slot);
    reused = *slot == held.slot;
    ring.publish_slot(*slot);
  }
  EXPECT_TRUE(reused);
}

TEST(RingWriter, KeepsTheNewestFramesAsHistory) {
  Ring ring({.slots = 4, .history = 3});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ring.publish());
  const auto open = ring.writer.acquire();
  ASSERT_TRUE(open);
  EXPECT_FALSE(ring.writer.acquire()) << "three of four slots are history";
  EXPECT_EQ(ring.writer.oldest(), 18u);
}

TEST(RingWriter, LetsALaggardGoWhenItIsLive) {
  Ring ring({.slots = 4, .live = true});
  RingReader reader = ring.join(true);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(ring.publish());
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(counters.lapped, 5u);
}

TEST(RingWriter, ClampsACursorThatCannotBe) {
  Ring ring;
  [[maybe_unused]] const RingReader reader = ring.join(true);
  ASSERT_TRUE(ring.publish());
  ring.pages[0].cursor.store(~std::uint64_t{0});  // far ahead of head: it holds nothing back, and that is all
  EXPECT_EQ(ring.writer.cursor_of(0), ring.writer.head());
  ring.pages[0].cursor.store(0);  // behind where it was let in
  EXPECT_EQ(ring.writer.cursor_of(0), 1u);
}

TEST(RingWriter, IgnoresThePinsOfAReaderThatBreaksItsQuota) {
  Ring ring;
  [[maybe_unused]] const RingReader reader = ring.join(false, 2);
  ring.pages[0].pins[0].store(0b1111);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ring.publish());
  EXPECT_TRUE(ring.writer.take_hostile());
  EXPECT_FALSE(ring.writer.take_hostile()) << "told once";
}

TEST(RingWriter, FindsASlotWhateverAPinOutsideOfTheStreamClaims) {
  Ring ring;
  [[maybe_unused]] const RingReader reader = ring.join(false, 2);
  ring.pages[0].pins[0].store(std::uint64_t{3} << 62);
  ring.pages[0].pins[3].store(~std::uint64_t{0});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ring.publish());
  EXPECT_FALSE(ring.writer.take_hostile());
}

TEST(RingWriter, HandlesMoreSlotsThanOneWordOfPins) {
  Ring ring({.slots = 200});
  RingReader reader = ring.join(true, 100);
  TakenSlot taken;
  TakeCounters counters;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish());
  std::vector<std::uint32_t> held;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
    held.push_back(taken.slot);
  }
  EXPECT_EQ(reader.pins(), 100u);
  EXPECT_FALSE(ring.publish());
  for (const std::uint32_t slot : held) (void)reader.unpin(slot);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ring.publish()) << i;
  EXPECT_FALSE(ring.publish());
}

TEST(RingReader, EndsAfterTheLastFrame) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  ring.writer.end(ring.wakes);
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::ended);
}

TEST(RingReader, MovesOnAfterTheLastFrame) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  EXPECT_EQ(next_epoch(ring.memory.view()), EpochId{});
  const EpochId next = make_epoch_id();
  ring.writer.move(next, ring.wakes);
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::moved);
  EXPECT_EQ(next_epoch(ring.memory.view()), next);
}

TEST(RingReader, GoesOnAtAKeyFrameWhenAnEncodedStreamLappedIt) {
  Ring ring({.slots = 8});
  RingReader reader = ring.join(false);
  for (int i = 1; i <= 15; ++i) ASSERT_TRUE(ring.publish(i % 6 == 0 ? kKeyFrame : 0u));  // key frames 6, 12
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take({.newest = false, .key_frames = true}, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 12u);
  EXPECT_EQ(counters.lapped, 11u);
}

TEST(RingReader, TakesFramesInOrderAfterTheNewestKeyFrameOfAnEncodedStream) {
  Ring ring({.slots = 8});
  RingReader reader = ring.join(false);
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(ring.publish(i == 3 ? kKeyFrame : 0u));
  TakenSlot taken;
  TakeCounters counters;
  for (const std::uint64_t expected : {3, 4, 5}) {
    ASSERT_EQ(reader.take({.newest = true, .key_frames = true}, taken, counters), TakeStatus::taken);
    EXPECT_EQ(taken.record.sequence, expected);
    (void)reader.unpin(taken.slot);
  }
  EXPECT_EQ(counters.skipped, 2u);
}

TEST(RingReader, PassesOverWhatComesBeforeTheFirstKeyFrame) {
  Ring ring({.slots = 8});
  RingReader reader = ring.join(false);
  reader.begin_at_key_frame();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(ring.publish(i == 3 ? kKeyFrame : 0u));
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take({.newest = false, .key_frames = true}, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 3u);
  EXPECT_EQ(counters.skipped, 2u);
  EXPECT_EQ(reader.pins(), 1u) << "what was passed over is let go";
}

TEST(RingReader, CountsAHeaderThatCannotBeRight) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  ASSERT_TRUE(ring.publish());
  ring.memory.view().slots[0].record.payload_bytes ^= 1;
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::corrupted);
  EXPECT_EQ(counters.corrupted, 1u);
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 2u);
  EXPECT_EQ(reader.pins(), 1u);
}

/// Planes that are listed count for the checksum like everything before them.
TEST(RingReader, CountsAListedPlaneThatCannotBeRight) {
  Ring ring;
  RingReader reader = ring.join(false);
  const VideoLayout planes = default_layout({PixelFormat::GRAY8, 8, 8, {}});
  const auto publish_planes = [&](const VideoLayout* listed) {
    const auto slot = ring.writer.acquire();
    ASSERT_TRUE(slot);
    PublishRequest request;
    request.payload_bytes = planes.bytes;
    request.plane_count = planes.plane_count;
    request.planes = listed;
    ring.writer.publish(*slot, request, ring.wakes);
  };
  publish_planes(&planes);
  publish_planes(nullptr);
  for (std::uint32_t slot = 0; slot < 2; ++slot)
    ring.memory.view().slots[slot].record.plane_stride_bytes[0] ^= 1;
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::corrupted);
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken) << "nobody reads planes not listed";
  EXPECT_EQ(taken.record.plane_count, 1u);
  EXPECT_EQ(taken.record.planes_listed, 0u);
}

/// What the writer remembers of its readers says nothing of one that came since.
TEST(RingWriter, TakesNothingBackFromALosslessReaderThatCameSinceItsLastLook) {
  Ring ring;
  std::array ahead{ring.join(true), ring.join(true)};  // of one alone nothing would be kept
  TakenSlot taken;
  TakeCounters counters;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(ring.publish());
    for (RingReader& reader : ahead) {
      ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
      (void)reader.unpin(taken.slot);
    }
  }
  const std::uint64_t oldest = ring.writer.oldest();
  RingReader late = ring.join(true, 2, oldest);
  EXPECT_FALSE(ring.publish()) << "every slot holds a frame that the late reader wants";
  ASSERT_EQ(late.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, oldest);
}

// How many slots forty frames go through that each reader takes and, with `late` of them held, lets go.
std::size_t slots_used(Ring& ring, std::vector<RingReader>& readers, std::size_t late = 0) {
  std::set<std::uint32_t> slots;
  std::vector<std::deque<std::uint32_t>> held(readers.size());
  TakeCounters counters;
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(ring.publish()) << i;
    for (std::size_t r = 0; r < readers.size(); ++r) {
      TakenSlot taken;
      EXPECT_EQ(readers[r].take(kInOrder, taken, counters), TakeStatus::taken) << i;
      EXPECT_EQ(ring.payload(taken), taken.record.sequence) << i;
      slots.insert(taken.slot);
      held[r].push_back(taken.slot);
      if (held[r].size() <= late) continue;
      (void)readers[r].unpin(held[r].front());
      held[r].pop_front();
    }
  }
  return slots.size();
}

TEST(RingWriter, GoesRoundInFewSlotsWhereNobodyHashesAndAllReadersAreLossless) {
  Ring ring({.slots = 12, .checksum = ChecksumMode::none});
  std::vector<RingReader> readers{ring.join(true, 3), ring.join(true, 3)};
  EXPECT_EQ(slots_used(ring, readers), 2u) << "the newest, which is history, and the one that is written";
  EXPECT_EQ(slots_used(ring, readers, 2), 3u) << "and the one before it, which is held too";
}

TEST(RingWriter, GoesRoundInFewSlotsWhereOneLosslessReaderHashesThem) {
  Ring ring({.slots = 12});
  std::vector<RingReader> readers{ring.join(true)};
  EXPECT_EQ(slots_used(ring, readers), 2u);
  readers.push_back(ring.join(true, 2, ring.writer.head()));
  EXPECT_EQ(slots_used(ring, readers), 12u) << "two lag differently";
  ring.writer.remove(1);
  readers.pop_back();
  (void)slots_used(ring, readers);
  EXPECT_EQ(slots_used(ring, readers), 2u) << "alone again";
  Ring kept({.slots = 12, .history = 4});
  std::vector<RingReader> alone{kept.join(true)};
  EXPECT_EQ(slots_used(kept, alone), 5u) << "the history stays";
}

TEST(RingWriter, GoesRoundInAllSlotsWhereReadersHashThemOrMayWantThemYet) {
  {
    Ring hashed({.slots = 12});
    std::vector<RingReader> readers{hashed.join(true), hashed.join(true)};
    EXPECT_EQ(slots_used(hashed, readers), 12u);
  }
  for (const ChecksumMode mode : {ChecksumMode::none, ChecksumMode::full}) {
    Ring mixed({.slots = 12, .checksum = mode});
    std::vector<RingReader> readers{mixed.join(true), mixed.join(false)};
    EXPECT_EQ(slots_used(mixed, readers), 12u) << "a queue reader may lag";
  }
  Ring demoted({.slots = 12});
  std::vector<RingReader> readers{demoted.join(true), demoted.join(true)};
  demoted.writer.entry(1).demoted.store(true, std::memory_order_relaxed);
  EXPECT_EQ(slots_used(demoted, readers), 12u) << "and one that was lossless";
}

TEST(RingReader, OwesAWaitingWriterAByteForFramesItPassesOver) {
  Ring ring;
  RingReader reader = ring.join(true);
  reader.begin_at_key_frame();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.publish(0));
  ring.writer.announce_wait(true);
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take({.newest = false, .key_frames = true}, taken, counters), TakeStatus::empty);
  EXPECT_TRUE(reader.take_owed_kick());
  EXPECT_FALSE(reader.take_owed_kick()) << "told once";
  Ring damaged;
  RingReader other = damaged.join(true);
  ASSERT_TRUE(damaged.publish());
  damaged.memory.view().slots[0].header_checksum ^= 1;
  damaged.writer.announce_wait(true);
  EXPECT_EQ(other.take(kInOrder, taken, counters), TakeStatus::corrupted);
  EXPECT_TRUE(other.take_owed_kick());
}

TEST(RingReader, RefusesASlotNumberOutsideOfTheStream) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  ring.memory.view().header->head.store(ring_word(1, 999));
  TakenSlot taken;
  TakeCounters counters;
  EXPECT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::corrupted);
}

TEST(RingTicket, IsRungOnceWhenItsFrameComes) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(reader.arm(WakeKind::futex));
  ASSERT_TRUE(ring.publish());
  EXPECT_EQ(ring.wakes.count, 1);
  EXPECT_EQ(ring.wakes.last_kind, WakeKind::futex);
  ASSERT_TRUE(ring.publish());
  EXPECT_EQ(ring.wakes.count, 1) << "a wake is on its way";
}

TEST(RingTicket, IsNotWrittenWhenThereIsSomethingToTake) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(ring.publish());
  EXPECT_FALSE(reader.arm(WakeKind::socket));
  ASSERT_TRUE(ring.publish());
  EXPECT_EQ(ring.wakes.count, 0);
}

TEST(RingTicket, IsNotRungAfterItWasTakenBack) {
  Ring ring;
  RingReader reader = ring.join(false);
  ASSERT_TRUE(reader.arm(WakeKind::socket));
  reader.disarm();
  ASSERT_TRUE(ring.publish());
  EXPECT_EQ(ring.wakes.count, 0);
}

TEST(RingTicket, IsRungByTheEndAndByAMoveThoughNoFrameComes) {
  Ring ended;
  RingReader sleeper = ended.join(false);
  ASSERT_TRUE(sleeper.arm(WakeKind::socket));
  ended.writer.end(ended.wakes);
  EXPECT_EQ(ended.wakes.count, 1);
  Ring moved;
  RingReader other = moved.join(false);
  ASSERT_TRUE(other.arm(WakeKind::futex));
  moved.writer.move(make_epoch_id(), moved.wakes);
  EXPECT_EQ(moved.wakes.count, 1);
}

TEST(RingWriter, CountsAQuotaOverAllWordsOfTheBitmap) {
  Ring ring({.slots = 256});
  (void)ring.join(false, 3);
  (void)ring.join(false, 4);
  for (ReaderPage& page : ring.pages) {
    for (auto& word : page.pins) word.store(1, std::memory_order_relaxed);
  }
  ASSERT_TRUE(ring.publish());
  EXPECT_TRUE(ring.writer.take_hostile());
  EXPECT_TRUE(ring.writer.entry(0).hostile.load(std::memory_order_relaxed)) << "four of three";
  EXPECT_FALSE(ring.writer.entry(1).hostile.load(std::memory_order_relaxed)) << "four of four";
}

TEST(RingWriter, ForgetsAReaderThatWasRemoved) {
  Ring ring;
  [[maybe_unused]] const RingReader reader = ring.join(true);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish());
  ring.writer.remove(0);
  EXPECT_TRUE(ring.publish());
}

TEST(RingWriter, KeepsEverythingForAJoinerUntilItsCursorIsGranted) {
  Ring ring({.slots = 4});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.publish());
  ReaderPage& page = ring.pages.emplace_back();
  ring.writer.admit(0, page, true, 2);
  EXPECT_FALSE(ring.publish());
  ring.writer.grant(0, 3);
  EXPECT_TRUE(ring.publish());
  EXPECT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish()) << "frame 3 is where it begins";
  RingReader reader(ring.memory.view(), page);
  TakenSlot taken;
  TakeCounters counters;
  ASSERT_EQ(reader.take(kInOrder, taken, counters), TakeStatus::taken);
  EXPECT_EQ(taken.record.sequence, 3u);
}

TEST(RingWriter, FindsAFreeSlotThoughAReaderHopsAheadOfIt) {
  // The quota is one pin: with one loan, one pin and one spare a slot is always to be had, wherever the pin
  // is just then.
  Ring ring({.slots = 3, .history = 0});
  RingReader hopper = ring.join(false, 1);
  TakenSlot taken;
  TakeCounters counters;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(ring.publish()) << i;
    if (hopper.take(i % 2 == 0 ? kNewest : kInOrder, taken, counters) != TakeStatus::taken) continue;
    ASSERT_TRUE(ring.publish()) << i;
    (void)hopper.unpin(taken.slot);
  }
}

}  // namespace
}  // namespace reel
