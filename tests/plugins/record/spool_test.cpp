// Frames come out of the spool as they went in, whether they waited in memory or in its file; what is lost is
// counted.
#include <recorder/spool.hpp>

#include <cstring>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::Spool;
using record::SpooledFrame;

constexpr std::size_t kFrameBytes = 100'000;

SpooledFrame frame(std::uint64_t number, std::size_t input = 0, std::size_t bytes = kFrameBytes) {
  static const bool ready = (gst_init(nullptr, nullptr), true);
  SpooledFrame made;
  EXPECT_TRUE(ready);
  made.input = input;
  made.number = number;
  made.format = std::make_shared<reel::Format>(reel::AudioFormat{reel::SampleFormat::S16LE, 48000, 1});
  made.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, bytes, nullptr),
                                           [](GstBuffer* it) { gst_buffer_unref(it); });
  gst_buffer_memset(made.buffer.get(), 0, static_cast<guint8>(number), bytes);
  return made;
}

bool holds(const SpooledFrame& frame) {
  GstMapInfo map;
  if (!frame.buffer || gst_buffer_map(frame.buffer.get(), &map, GST_MAP_READ) == FALSE) return false;
  bool right = map.size == kFrameBytes;
  for (std::size_t i = 0; i < map.size; ++i)
    right = right && map.data[i] == static_cast<guint8>(frame.number);
  gst_buffer_unmap(frame.buffer.get(), &map);
  return right;
}

void expect_spilled(const Spool& spool, std::uint64_t frames) {
  EXPECT_TRUE(wait_until([&] { return spool.counts().spilled == frames; })) << spool.counts().spilled;
}

TEST(Spool, GivesFramesInTheirOrder) {
  Spool spool({}, 2);
  for (std::uint64_t n = 0; n < 5; ++n) EXPECT_TRUE(spool.put(frame(n, n % 2)));
  spool.end(0);
  spool.close();
  for (std::uint64_t n = 0; n < 5; ++n) {
    const auto taken = spool.take(0);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->number, n);
    EXPECT_TRUE(holds(*taken));
  }
  EXPECT_FALSE(spool.finished());
  EXPECT_EQ(spool.take(0)->kind, SpooledFrame::Kind::ended);
  EXPECT_TRUE(spool.finished());
  EXPECT_FALSE(spool.take(0).has_value());
}

TEST(Spool, CountsWhatDoesNotFit) {
  Spool spool({10 * (kFrameBytes + 1024)}, 1);
  std::uint64_t taken = 0;
  for (std::uint64_t n = 0; n < 15; ++n) taken += spool.put(frame(n)) ? 1 : 0;
  EXPECT_EQ(taken, 10U);
  EXPECT_EQ(spool.counts().lost, 5U);
  for (std::uint64_t n = 0; n < 10; ++n) EXPECT_EQ(spool.take(0)->number, n);
  const auto lost = spool.take(0);
  EXPECT_EQ(lost->kind, SpooledFrame::Kind::lost);
  EXPECT_EQ(lost->number, 10U);
  EXPECT_EQ(lost->lost, 5U);
  EXPECT_FALSE(lost->reason.empty());
  EXPECT_FALSE(spool.take(0).has_value());
  EXPECT_EQ(spool.counts().memory_bytes, 0U);
}

TEST(Spool, LosesInOnePieceUntilThereIsRoom) {
  Spool spool({16 * (kFrameBytes + 1024)}, 1);
  for (std::uint64_t n = 0; n < 17; ++n) (void)spool.put(frame(n));
  (void)spool.take(0);
  EXPECT_FALSE(spool.put(frame(17))) << "one is not enough";
  (void)spool.take(0);
  EXPECT_TRUE(spool.put(frame(18)));
  std::vector<std::uint64_t> lost;
  while (const auto taken = spool.take(0))
    if (taken->kind == SpooledFrame::Kind::lost) lost.push_back(taken->lost);
  EXPECT_THAT(lost, ::testing::ElementsAre(2U));
}

TEST(Spool, KeepsRoomForSound) {
  Spool spool({10 * (kFrameBytes + 1024)}, 2);
  for (std::uint64_t n = 0; n < 11; ++n) (void)spool.put(frame(n));
  EXPECT_TRUE(spool.put(frame(0, 1, 1000)));
  EXPECT_FALSE(spool.put(frame(12)));
}

TEST(Spool, TakesOneFrameHoweverLarge) {
  Spool spool({1000}, 1);
  EXPECT_TRUE(spool.put(frame(0)));
  EXPECT_FALSE(spool.put(frame(1)));
}

TEST(Spool, GoesToAnotherDisk) {
  const ScratchDir scratch;
  // Three frames, and a quarter for those on their way.
  Spool spool({4 * (kFrameBytes + 2048), 5 * kFrameBytes, scratch.path()}, 1);
  std::uint64_t put = 0;
  std::uint64_t next = 0;
  for (int round = 0; round < 10; ++round) {
    while (spool.counts().disk_bytes < 4 * kFrameBytes) {
      const std::uint64_t spilled = spool.counts().spilled;
      const std::uint64_t in_memory = spool.counts().memory_bytes;
      ASSERT_TRUE(spool.put(frame(put++)));
      if (in_memory + kFrameBytes + 1024 > 3 * (kFrameBytes + 2048)) expect_spilled(spool, spilled + 1);
    }
    for (int i = 0; i < 3; ++i) {
      const auto taken = spool.take(0);
      ASSERT_TRUE(taken.has_value());
      EXPECT_EQ(taken->number, next++);
      EXPECT_TRUE(holds(*taken)) << taken->number;
    }
  }
  while (const auto taken = spool.take(0)) {
    EXPECT_EQ(taken->number, next++);
    EXPECT_TRUE(holds(*taken)) << taken->number;
  }
  EXPECT_EQ(next, put);
  EXPECT_GT(spool.counts().spilled, 10U);
  EXPECT_EQ(spool.counts().lost, 0U);
  EXPECT_EQ(spool.counts().disk_bytes, 0U);
}

TEST(Spool, LosesOnceTheOtherDiskIsFullToo) {
  const ScratchDir scratch;
  Spool spool({4 * (kFrameBytes + 2048), 3 * kFrameBytes, scratch.path()}, 1);
  for (std::uint64_t n = 0; n < 6; ++n) EXPECT_TRUE(spool.put(frame(n))) << n;
  expect_spilled(spool, 3);
  EXPECT_TRUE(spool.put(frame(6))) << "nobody else needs the rest of the memory";
  EXPECT_FALSE(spool.put(frame(7)));
  EXPECT_EQ(spool.counts().lost, 1U);
  EXPECT_LE(spool.counts().memory_bytes, 4 * (kFrameBytes + 2048));
}

TEST(Spool, NeedsADirectoryForIt) {
  expect_error(reel::ErrorCode::not_found, {"/nowhere", "spool_directory"}, [] {
    Spool({1, 1, "/nowhere"}, 1);
  });
}

TEST(Spool, WaitsForRoom) {
  Spool spool({2 * (kFrameBytes + 1024)}, 1);
  EXPECT_TRUE(spool.wait_for_room(kFrameBytes, 0));
  (void)spool.put(frame(0));
  (void)spool.put(frame(1));
  EXPECT_FALSE(spool.wait_for_room(kFrameBytes, 1));
  (void)spool.take(0);
  EXPECT_TRUE(spool.wait_for_room(kFrameBytes, 0));
}

}  // namespace
}  // namespace reel_test
