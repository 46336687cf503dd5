// Loans: what is lent, how it is filled and laid out, and what becomes of it when it is dropped, cancelled or
// overtaken by growth.
#include "channel_fixture.hpp"

#include <reel/channel/observer.hpp>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using channel_test::nv12;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::Loan;
using reel::ReadStatus;
using reel::WriteStatus;

class Loans : public channel_test::ChannelTest {};

TEST_F(Loans, OfAVideoStreamHaveTheFormatsSizeAndPlanes) {
  FrameWriter writer(stream(), nv12(64, 48));
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  EXPECT_EQ(loan.size(), 64U * 48 * 3 / 2);
  EXPECT_EQ(loan.data().size(), loan.size());
  EXPECT_GE(loan.capacity(), loan.size());
  EXPECT_EQ(loan.format(), nv12(64, 48));
  EXPECT_EQ(loan.plane(0).row_bytes, 64U);
  EXPECT_EQ(loan.plane(0).rows, 48U);
  EXPECT_EQ(loan.plane(1).rows, 24U);
  EXPECT_EQ(loan.plane(1).data, loan.data().data() + 64 * 48);
  EXPECT_EQ(loan.plane(2).data, nullptr) << "there is no third";
}

TEST_F(Loans, TakeAnySizeUpToTheirCapacity) {
  FrameWriter writer(stream(), reel::Format(), {.slot_bytes = 8192});
  Loan loan;
  ASSERT_EQ(writer.acquire(loan, 100), WriteStatus::ok);
  EXPECT_EQ(loan.size(), 100U);
  EXPECT_TRUE(loan.set_size(loan.capacity()));
  EXPECT_FALSE(loan.set_size(loan.capacity() + 1));
  EXPECT_EQ(loan.size(), loan.capacity());
  EXPECT_FALSE(loan.copy_from(bytes(loan.capacity() + 1, 1)));
  EXPECT_EQ(loan.plane(0).data, nullptr) << "bytes have no planes";
}

/// Whoever goes on using one cannot write into a frame that readers have.
TEST_F(Loans, ThatWerePublishedOrGivenBackShowNoBytes) {
  FrameWriter writer(stream(), nv12(64, 48));
  Loan published, given_back;
  ASSERT_EQ(writer.acquire(published), WriteStatus::ok);
  ASSERT_EQ(writer.publish(std::move(published), {}), WriteStatus::ok);
  EXPECT_TRUE(published.data().empty());
  EXPECT_EQ(published.plane(0).data, nullptr);
  ASSERT_EQ(writer.acquire(given_back), WriteStatus::ok);
  given_back.cancel();
  EXPECT_TRUE(given_back.data().empty());
}

TEST_F(Loans, AreReadAsTheyWereLaidOut) {
  FrameWriter writer(stream(), nv12(64, 48), {.slot_bytes = 100'000});
  FrameReader reader(stream());
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  const std::array<std::uint64_t, 2> offsets{256, 20'000};
  const std::array<std::uint32_t, 2> strides{128, 256};
  const auto layout = reel::checked_layout(*loan.format().video(), offsets, strides, 50'000);
  ASSERT_TRUE(layout);
  ASSERT_TRUE(loan.set_layout(*layout));
  EXPECT_EQ(loan.size(), layout->bytes);
  std::fill_n(loan.plane(1).data, 64, std::byte{7});
  ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  ASSERT_EQ(frame.plane_count(), 2U);
  EXPECT_EQ(frame.plane(0).stride_bytes, 128U);
  EXPECT_EQ(frame.plane(1).data, frame.data().data() + 20'000);
  EXPECT_EQ(frame.plane(1).stride_bytes, 256U);
  EXPECT_TRUE(all_are({frame.plane(1).data, 64}, 7));
  EXPECT_EQ(frame.plane(2).data, nullptr);
}

TEST_F(Loans, OfALayoutThatDoesNotFitAreRefusedAndKept) {
  FrameWriter writer(stream(), nv12(64, 48));
  FrameReader reader(stream());
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  reel::VideoLayout beyond = loan.layout();
  beyond.bytes = loan.capacity() + 1;
  EXPECT_FALSE(loan.set_layout(beyond));

  const reel::VideoLayout good = loan.layout();
  ASSERT_TRUE(loan.set_size(100));
  EXPECT_EQ(writer.publish(std::move(loan), {}), WriteStatus::bad_argument) << "its planes need more";
  EXPECT_THAT(writer.error(), ::testing::HasSubstr("100 bytes"));
  ASSERT_TRUE(loan);
  ASSERT_TRUE(loan.set_layout(reel::default_layout({reel::PixelFormat::GRAY8, 64, 48, {}})));
  EXPECT_EQ(writer.publish(std::move(loan), {}), WriteStatus::bad_argument)
      << "one plane, where NV12 has two";
  ASSERT_TRUE(loan);
  reel::VideoLayout outside = good;
  outside.planes[1].offset_bytes = 1u << 30;
  ASSERT_TRUE(loan.set_layout(outside));
  EXPECT_EQ(writer.publish(std::move(loan), {}), WriteStatus::bad_argument)
      << "a plane outside of the payload";
  ASSERT_TRUE(loan);
  ASSERT_TRUE(loan.set_layout(good));
  EXPECT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
  EXPECT_FALSE(loan);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
  EXPECT_EQ(reader.stats().corrupted, 0U);
}

TEST_F(Loans, ThatAreDroppedOrCancelledCostNoNumberAndNoSlot) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4});
  for (int i = 0; i < 20; ++i) {
    Loan loan;
    ASSERT_EQ(writer.acquire(loan, 10, 0), WriteStatus::ok);
    if (i % 2 == 0) loan.cancel();
    EXPECT_EQ(static_cast<bool>(loan), i % 2 != 0);
  }
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  FrameReader reader(stream(), {.start = reel::Start::oldest, .max_pins = 1});
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
}

TEST_F(Loans, AreHashedAgainWhenTheyAreWrittenAfterACopy) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream());
  Loan loan;
  ASSERT_EQ(writer.acquire(loan, 1000), WriteStatus::ok);
  ASSERT_TRUE(loan.copy_from(bytes(1000, 1)));
  loan.data()[500] = std::byte{9};
  ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_TRUE(frame.verified());
  EXPECT_EQ(frame.data()[500], std::byte{9});
}

TEST_F(Loans, ThatAreOpenWhileTheMemoryGrowsArePublishedWithACopy) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8, .slot_bytes = 4096, .loans = 2});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  Loan old;
  ASSERT_EQ(writer.acquire(old, 1000), WriteStatus::ok);
  std::fill(old.data().begin(), old.data().end(), std::byte{3});
  ASSERT_TRUE(old.side_data().add_json("t", "{}"));
  ASSERT_EQ(writer.write(bytes(100'000, 4)), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.stats().epochs, 2U);
  ASSERT_EQ(writer.publish(std::move(old), {.pts_ns = 5}), WriteStatus::ok) << writer.error();
  EXPECT_FALSE(old);
  EXPECT_EQ(writer.stats().copied, 2U);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_TRUE(all_are(frame.data(), 4));
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.data().size(), 1000U);
  EXPECT_TRUE(all_are(frame.data(), 3));
  EXPECT_EQ(frame.info().pts_ns, 5);
  ASSERT_FALSE(frame.side_data().empty());
  EXPECT_EQ(frame.side_data().begin()->name, "t");
}

TEST_F(Loans, AreAsManyAsTheOptionSaysOverAllMemories) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8, .slot_bytes = 4096, .loans = 2});
  Loan first;
  Loan second;
  Loan third;
  ASSERT_EQ(writer.acquire(first, 100), WriteStatus::ok);
  ASSERT_EQ(writer.acquire(second, 100'000), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.stats().epochs, 2U);
  EXPECT_EQ(writer.acquire(third, 100, kWatchdogMs), WriteStatus::bad_argument);
  EXPECT_THAT(writer.error(), ::testing::HasSubstr("2 loans are open, loans allows 2"));
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::bad_argument) << "it takes a loan too";
  EXPECT_EQ(writer.publish(std::move(first), {}), WriteStatus::ok) << "moves over: " << writer.error();
  EXPECT_EQ(writer.acquire(third, 100), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.acquire(third, 100), WriteStatus::ok) << "in the place of its own: " << writer.error();
  const Loan moved = std::move(second);
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::bad_argument) << "moving a loan does not end it";
  third.cancel();
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << writer.error();
}

TEST_F(Loans, OfAnOlderFormatDoNotMakeItTheNewestAgain) {
  FrameWriter writer(stream(), nv12(64, 48));
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  writer.set_format(nv12(640, 480));
  ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
  reel::StreamObserver observer(stream());
  EXPECT_EQ(observer.status().caps, nv12(640, 480).caps()) << "what late readers and tools see";
  reel::FrameCopy copy;
  ASSERT_TRUE(observer.newest(copy));
  EXPECT_EQ(copy.format, nv12(64, 48));
}

}  // namespace
