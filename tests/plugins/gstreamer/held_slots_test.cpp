// What reelsrc holds the slots of its buffers with: counted, used again, let go by any thread.
#include "held_slots.hpp"

#include <array>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel_test/runtime_dir.hpp>

namespace {

using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::ReadStatus;
using reel::WriteStatus;
using reel::gst::HeldSlots;

constexpr int kWatchdogMs = 60'000;
constexpr std::uint32_t kHeld = 4;

class HeldSlotsTest : public ::testing::Test {
 protected:
  void* hold_next() {
    const std::array<std::byte, 16> payload{};
    EXPECT_EQ(writer_.write(payload), WriteStatus::ok);
    Frame frame;
    EXPECT_EQ(reader_.read(frame, kWatchdogMs), ReadStatus::frame);
    return HeldSlots::hold(slots_, std::move(frame));
  }

  reel_test::TempRuntimeDir runtime_;
  FrameWriter writer_{"held", reel::Format(), {.slots = 16}};
  FrameReader reader_{"held", {.policy = reel::Policy::lossless, .max_pins = kHeld + 1}};
  std::shared_ptr<HeldSlots> slots_ = std::make_shared<HeldSlots>();
};

TEST_F(HeldSlotsTest, UseWhatTheyHeldWithAgain) {
  void* const first = hold_next();
  EXPECT_EQ(slots_->held(), 1u);
  HeldSlots::let_go(first);
  EXPECT_EQ(slots_->held(), 0u);
  void* const second = hold_next();
  EXPECT_EQ(second, first);
  void* const third = hold_next();
  EXPECT_NE(third, second);
  HeldSlots::let_go(second);
  HeldSlots::let_go(third);
  EXPECT_EQ(hold_next(), third) << "the last one that came back";
  HeldSlots::let_go(third);
}

TEST_F(HeldSlotsTest, AreLetGoByThreadsWhileOthersAreHeld) {
  std::vector<std::jthread> threads;
  for (int round = 0; round < 300; ++round) {
    while (slots_->held() == kHeld) std::this_thread::yield();
    threads.emplace_back([held = hold_next()] { HeldSlots::let_go(held); });
    if (threads.size() == 16) threads.clear();
  }
  threads.clear();
  EXPECT_EQ(slots_->held(), 0u);
}

TEST_F(HeldSlotsTest, EndWithTheLastThatIsLetGo) {
  const std::weak_ptr<HeldSlots> watched = slots_;
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < kHeld; ++i)
      threads.emplace_back([held = hold_next()] { HeldSlots::let_go(held); });
    slots_.reset();
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
