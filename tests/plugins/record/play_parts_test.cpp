// The pure parts of playback: when frames are due, how sound is cut, which facts belong to which frame.
#include "play/facts_queue.hpp"
#include "play/pace.hpp"
#include "play/rounds.hpp"
#include "play/sound_cutter.hpp"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

using record::FactsQueue;
using record::FrameFacts;
using record::Pace;
using record::SoundCutter;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kStart = 77'000 * kMs;  // monotonic

TEST(Pace, FollowsTheRecordingsTimes) {
  Pace pace(1, 0);
  EXPECT_EQ(pace.due_ns(500 * kMs, kStart), kStart);
  EXPECT_EQ(pace.due_ns(540 * kMs, kStart + 1), kStart + 40 * kMs);
  EXPECT_EQ(pace.due_ns(60'540 * kMs, kStart + 2), kStart + 60'040 * kMs);
}

TEST(Pace, IsFasterOrDoesNotWait) {
  Pace fast(4, 0);
  EXPECT_EQ(fast.due_ns(0, kStart), kStart);
  EXPECT_EQ(fast.due_ns(400 * kMs, kStart), kStart + 100 * kMs);
  Pace at_once(0, 0);
  EXPECT_EQ(at_once.due_ns(0, kStart), kStart);
  EXPECT_EQ(at_once.due_ns(400 * kMs, kStart + 5), kStart + 5);
}

TEST(Pace, MakesLongGapsShort) {
  Pace pace(2, 1000 * kMs);
  EXPECT_EQ(pace.due_ns(0, kStart), kStart);
  EXPECT_EQ(pace.due_ns(900 * kMs, kStart), kStart + 450 * kMs);
  EXPECT_EQ(pace.due_ns(3'600'900 * kMs, kStart), kStart + 950 * kMs);
  EXPECT_EQ(pace.due_ns(3'600'940 * kMs, kStart), kStart + 970 * kMs);
  // Sound that comes a little behind the picture is no gap, nor does it make one.
  EXPECT_EQ(pace.due_ns(3'600'920 * kMs, kStart), kStart + 960 * kMs);
}

record::PlayFrame frame_at(std::int64_t media_ns, std::int64_t duration_ns, std::uint64_t number) {
  record::PlayFrame frame;
  frame.media_ns = media_ns;
  frame.info.pts_ns = kStart + media_ns;
  frame.info.capture_ns = 2 * kStart + media_ns;
  frame.info.duration_ns = duration_ns;
  frame.info.offset = number;
  return frame;
}

TEST(Rounds, GoOnWhereTheOneBeforeEnded) {
  record::Rounds rounds(2);
  for (std::int64_t round = 0; round < 3; ++round) {
    // Pictures from -40 to 80 ms, of the last of which nobody knows how long it is; sound from 0 to 100 ms.
    for (std::int64_t i = 0; i < 3; ++i) {
      record::PlayFrame picture =
          frame_at((i - 1) * 40 * kMs, i < 2 ? 40 * kMs : reel::kNoTime, 7 + static_cast<std::uint64_t>(i));
      rounds.place(0, picture);
      const std::int64_t expected_ns = (i - 1) * 40 * kMs + round * 140 * kMs;
      EXPECT_EQ(picture.media_ns, expected_ns);
      EXPECT_EQ(picture.info.pts_ns, kStart + expected_ns);
      EXPECT_EQ(picture.info.capture_ns, 2 * kStart + expected_ns);
      EXPECT_EQ(picture.info.dts_ns, reel::kNoTime);
      EXPECT_EQ(picture.info.offset, static_cast<std::uint64_t>(7 + i + round * 3));
      EXPECT_EQ(picture.info.offset_end, ~std::uint64_t{0});
    }
    for (std::int64_t i = 0; i < 2; ++i) {
      record::PlayFrame block = frame_at(i * 50 * kMs, 50 * kMs, static_cast<std::uint64_t>(i) * 2400);
      block.info.offset_end = block.info.offset + 2400;
      rounds.place(1, block);
      EXPECT_EQ(block.media_ns, i * 50 * kMs + round * 140 * kMs);
      EXPECT_EQ(block.info.offset, static_cast<std::uint64_t>(i * 2400 + round * 4800));
      EXPECT_EQ(block.info.offset_end, block.info.offset + 2400);
    }
    EXPECT_TRUE(rounds.next());
  }
  EXPECT_FALSE(rounds.next()) << "there was nothing in it";
}

TEST(Rounds, GoOnForStreamsWhoseTimesRunFasterThanMediaTime) {
  record::Rounds rounds(1);
  std::int64_t before_ns = 0;
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t i = 0; i < 100; ++i) {
      record::PlayFrame frame = frame_at(i * 40 * kMs, 40 * kMs, 0);
      frame.info.pts_ns += i * kMs;
      rounds.place(0, frame);
      EXPECT_GT(frame.info.pts_ns, before_ns);
      before_ns = frame.info.pts_ns;
    }
    EXPECT_TRUE(rounds.next());
  }
}

/// Each sample is its number.
std::vector<std::byte> counted(std::uint16_t from, std::size_t count) {
  std::vector<std::uint16_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), from);
  std::vector<std::byte> bytes(count * 2);
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

class Cutting : public testing::Test {
 protected:
  /// The numbers of a block; empty where it is lost, {0xFFFF} where there is more to come.
  std::pair<std::uint16_t, std::size_t> take(std::int64_t time_ns, std::uint64_t samples,
                                             bool finished = false) {
    std::vector<std::byte> block;
    switch (cutter_.take(time_ns, samples, finished, block)) {
      case SoundCutter::Taken::more: return {0, 0xFFFF};
      case SoundCutter::Taken::lost: return {0, 0};
      case SoundCutter::Taken::block: break;
    }
    std::uint16_t first = 0;
    std::memcpy(&first, block.data(), sizeof first);
    return {first, block.size() / 2};
  }
  using Block = std::pair<std::uint16_t, std::size_t>;
  static constexpr Block kLost{0, 0}, kMore{0, 0xFFFF};

  SoundCutter cutter_{{reel::SampleFormat::S16LE, 1000, 1}};  // a sample is a millisecond
};

TEST_F(Cutting, BlocksOfOneSizeOutOfBlocksOfAnother) {
  cutter_.push(0, counted(0, 64));
  EXPECT_EQ(take(0, 50), Block(0, 50));
  EXPECT_EQ(take(50 * kMs, 50), kMore);
  cutter_.push(64 * kMs, counted(64, 64));
  EXPECT_EQ(take(50 * kMs, 50), Block(50, 50));
  EXPECT_EQ(take(100 * kMs, 50), kMore);
  EXPECT_EQ(take(100 * kMs, 50, true), Block(100, 28)) << "the last one is as long as it is";
  EXPECT_EQ(take(150 * kMs, 50, true), kLost);
}

TEST_F(Cutting, NoSampleIsLostWhereTimesAreRounded) {
  cutter_.push(0, counted(0, 100));
  cutter_.push(99 * kMs, counted(100, 100));
  cutter_.push(201 * kMs, counted(200, 100));
  EXPECT_EQ(take(1 * kMs, 150), Block(0, 150));
  EXPECT_EQ(take(150 * kMs, 150), Block(150, 150));
}

TEST_F(Cutting, NoSampleIsLostWhereTimesAndSamplesPartSlowly) {
  std::int64_t next = 0;
  for (std::uint16_t i = 0; i < 60; ++i) {
    cutter_.push(i * 101 * kMs, counted(static_cast<std::uint16_t>(i * 100), 100));
    for (Block block = take(next * 151'500'000, 150); block != kMore; block = take(next * 151'500'000, 150)) {
      ASSERT_EQ(block, Block(static_cast<std::uint16_t>(next * 150), 150));
      ++next;
    }
  }
  EXPECT_EQ(next, 40);
}

TEST_F(Cutting, BeginsWithinASoundThatIsThereBefore) {
  cutter_.push(0, counted(0, 300));
  EXPECT_EQ(take(120 * kMs, 50), Block(120, 50));
  EXPECT_EQ(take(170 * kMs, 50), Block(170, 50));
}

TEST_F(Cutting, WhatLiesInAGapIsLostAndTheRestIsNotMoved) {
  cutter_.push(0, counted(0, 100));
  cutter_.push(500 * kMs, counted(500, 100));
  EXPECT_EQ(take(0, 100), Block(0, 100));
  EXPECT_EQ(take(300 * kMs, 100), kLost);
  EXPECT_EQ(take(500 * kMs, 50), Block(500, 50));
  EXPECT_EQ(take(550 * kMs, 50), Block(550, 50));
}

std::vector<FrameFacts> facts_at(std::initializer_list<std::int64_t> times_ms) {
  std::vector<FrameFacts> facts;
  for (const std::int64_t time_ms : times_ms) {
    facts.emplace_back().media_ns = time_ms * kMs;
    facts.back().frame = facts.size() - 1;
  }
  return facts;
}

TEST(Facts, AreFoundByTheirTimesAsTheFileRoundsThem) {
  FactsQueue queue(record::Cut{});
  queue.add(facts_at({0, 40, 80}));
  EXPECT_EQ(queue.take(0)->frame, 0U);
  EXPECT_EQ(queue.take(40 * kMs + 500'000)->frame, 1U);
  EXPECT_FALSE(queue.take(60 * kMs));
  EXPECT_EQ(queue.take(80 * kMs - 500'000)->frame, 2U);
  EXPECT_EQ(queue.lost(), 0U);
}

TEST(Facts, OfFramesThatNeverComeAreLost) {
  FactsQueue queue(record::Cut{0, 5000 * kMs});
  queue.add(facts_at({-40, 0, 40, 80, 3000, 9000}));
  EXPECT_EQ(queue.take(80 * kMs)->frame, 3U);
  EXPECT_EQ(queue.lost(), 2U) << "the one before the cut is not missed";
  queue.end();
  EXPECT_EQ(queue.lost(), 3U) << "nor is the one behind it";
}

}  // namespace
