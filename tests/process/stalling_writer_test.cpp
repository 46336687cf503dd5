// Writers that flood, damage or withhold: whatever they do, a call that may not wait returns, and one that
// may returns at its deadline.
#include "fake_writer.hpp"
#include "stream_roles.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include <poll.h>
#include <reel_test/process_facts.hpp>

#include <reel/channel/frame_reader.hpp>

namespace {

using reel::FrameReader;
using reel::MessageType;
using reel::ReadStatus;
using stream_test::FakeStream;
using stream_test::FakeWriter;
using stream_test::RawPeer;

class StallingWriter : public stream_test::StreamTest {
 protected:
  [[nodiscard]] FakeStream& fake() { return fake_; }

 private:
  FakeStream fake_{stream()};
};

TEST_F(StallingWriter, AFloodedSocketIsReadALittleAtATime) {
  constexpr int kFlood = 150;
  std::atomic<bool> flooded{false};
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    fake().send(peer, fake().welcome());
    const std::byte doorbell{1};
    for (int i = 0; i < kFlood; ++i) peer.send({&doorbell, 1});
    flooded.store(true);
  });
  FrameReader reader(stream());
  ASSERT_TRUE(reel_test::wait_until([&] { return flooded.load(); }));
  pollfd wait{reader.fd(), POLLIN, 0};
  ASSERT_TRUE(reader.prepare_wait());
  EXPECT_EQ(::poll(&wait, 1, 0), 1) << "one call read them all, and would as long as more came";
  for (int calls = 0; calls < kFlood && ::poll(&wait, 1, 0) == 1; ++calls) ASSERT_TRUE(reader.prepare_wait());
  EXPECT_EQ(::poll(&wait, 1, 0), 0) << "but all are read in the end";
}

TEST_F(StallingWriter, OneThatDoesNotAnswerHoldsNoConstructorUpThatLimitsItsWait) {
  std::atomic<bool> answers{false};
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    if (reel_test::wait_until([&] { return answers.load(); })) fake().send(peer, fake().welcome());
  });
  FrameReader reader(stream(), {.reconnect = false, .connect_timeout_ms = 20});
  EXPECT_FALSE(reader.connected());
  reel::Frame frame;
  EXPECT_EQ(reader.read(frame, 20), ReadStatus::empty) << "its answer is still awaited";
  EXPECT_EQ(reader.slots(), 0u);
  answers = true;
  EXPECT_TRUE(reel_test::wait_until(
      [&] { return reader.read(frame, 20) == ReadStatus::empty && reader.connected(); }));
  EXPECT_GT(reader.slots(), 0u);
}

TEST_F(StallingWriter, OneThatPromisesAPlaceAgainAndAgainKeepsNoCall) {
  constexpr int kPromises = 100;
  std::atomic<bool> answers{false};
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    const reel::PlainMessage parked{{.type = MessageType::parked}};
    for (int i = 0; i < kPromises; ++i) peer.send_as(parked);
    if (reel_test::wait_until([&] { return answers.load(); })) fake().send(peer, fake().welcome());
  });
  FrameReader reader(stream(), {.connect_timeout_ms = 0});
  reel::Frame frame;
  ASSERT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
    return reader.parked();
  }));
  answers = true;
  EXPECT_TRUE(reel_test::wait_until([&] { return (void)reader.read(frame, 1), reader.connected(); }));
}

TEST_F(StallingWriter, DamagedFramesArePassedOverALittleAtATime) {
  constexpr std::uint32_t kSlots = 256;
  const FakeStream damaged(stream(), kSlots);
  for (std::uint64_t sequence = 1; sequence <= kSlots; ++sequence)
    damaged.memory.view().ring_at(sequence).store(reel::ring_word(sequence, 0xFFF0),
                                                  std::memory_order_release);
  damaged.header().head.store(reel::ring_word(kSlots, 0xFFF0), std::memory_order_seq_cst);
  auto writer = std::make_unique<FakeWriter>(
      runtime_dir().path(), stream(), [&](const RawPeer& peer) { damaged.send(peer, damaged.welcome()); });
  FrameReader reader(stream());
  damaged.publish(0, damaged.record(kSlots + 1));
  // The one after that is damaged too, and the last: its writer leaves.
  const auto last = kSlots + 2;
  damaged.memory.view().ring_at(last).store(reel::ring_word(last, 0xFFF0), std::memory_order_release);
  damaged.header().head.store(reel::ring_word(last, 0xFFF0), std::memory_order_seq_cst);
  writer.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  reel::Frame frame;
  // Two were overwritten by those two.
  for (std::uint64_t passed_over = 64; passed_over < kSlots; passed_over += 64) {
    ASSERT_EQ(reader.try_read(frame), ReadStatus::empty);
    ASSERT_EQ(reader.stats().corrupted, passed_over) << "as many as a call looks at, and no more";
    ASSERT_TRUE(reader.connected()) << "there is more to read";
    ASSERT_FALSE(reader.prepare_wait());
  }
  EXPECT_EQ(reader.try_read(frame), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), kSlots + 1);
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
  EXPECT_EQ(reader.stats().corrupted, kSlots - 2 + 1);
  EXPECT_TRUE(reel_test::wait_until([&] { return !reader.connected(); }));
}

TEST_F(StallingWriter, DamagedFramesArePassedOverUntilTheDeadlineAndNoLonger) {
  constexpr std::uint32_t kSlots = 4;
  constexpr std::uint64_t kBytes = 32u << 20;  // three of them take more than a millisecond to look through
  const FakeStream damaged(stream(), kSlots, kBytes);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    reel::SlotRecord record = damaged.record(slot + 1);
    record.payload_bytes = kBytes;
    damaged.publish(slot, record);
  }
  const FakeWriter writer(runtime_dir().path(), stream(),
                          [&](const RawPeer& peer) { damaged.send(peer, damaged.welcome()); });
  FrameReader reader(stream());
  reel::Frame frame;
  EXPECT_EQ(reader.read(frame, 1), ReadStatus::empty);
  EXPECT_GT(reader.stats().corrupted, 0U);
  EXPECT_LT(reader.stats().corrupted, kSlots);
}

TEST_F(StallingWriter, AMoveWhoseMessageDoesNotComeIsWaitedForAsAFrameIs) {
  std::atomic<bool> announce{false};
  const FakeStream next(stream());
  next.publish(0, next.record(1));
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    fake().header().moved.store(1, std::memory_order_seq_cst);
    fake().send(peer, fake().welcome());
    ASSERT_TRUE(reel_test::wait_until([&] { return announce.load(); }));
    reel::WelcomeMessage moved = next.welcome();
    moved.header.type = MessageType::moved;
    next.send(peer, moved);
  });
  FrameReader reader(stream());
  reel::Frame frame;
  for (int call = 0; call < 20; ++call) {
    ASSERT_EQ(reader.try_read(frame), ReadStatus::empty);
    ASSERT_EQ(reader.read(frame, 1), ReadStatus::empty);
  }
  EXPECT_EQ(reader.stats().connects, 1U) << "none of these calls waited until it gave the writer up";
  std::thread interrupting([&] { reader.interrupt(); });
  EXPECT_EQ(reader.read(frame), ReadStatus::interrupted);
  interrupting.join();
  reader.resume();
  ASSERT_TRUE(reader.prepare_wait());
  pollfd wait{reader.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 50), 0) << "its loop may sleep";
  announce.store(true);
  ASSERT_EQ(::poll(&wait, 1, 30'000), 1);
  EXPECT_EQ(reader.try_read(frame), ReadStatus::frame) << reader.error();
  EXPECT_EQ(reader.stats().connects, 1U);
}

TEST_F(StallingWriter, MemoriesThatAreAnnouncedAndNeverMovedToAreRefused) {
  std::atomic<bool> announced{false};
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    fake().send(peer, fake().welcome());
    reel::WelcomeMessage moved = fake().welcome();
    moved.header.type = MessageType::moved;
    for (int i = 0; i < 40; ++i) fake().send(peer, moved);
    announced.store(true);
  });
  FrameReader reader(stream());
  ASSERT_TRUE(reel_test::wait_until([&] { return announced.load(); }));
  const std::size_t mapped = reel_test::mappings_of("reel-fake-page").size();
  EXPECT_FALSE(reader.prepare_wait()) << "there is something to tell";
  EXPECT_LE(reel_test::mappings_of("reel-fake-page").size(), mapped + 16);
  reel::Frame frame;
  EXPECT_EQ(reader.try_read(frame), ReadStatus::failed);
  EXPECT_THAT(reader.error(), ::testing::HasSubstr("announced 16 new memories"));
}

TEST_F(StallingWriter, AnAnswerToHelloThatDoesNotComeKeepsNoCall) {
  std::atomic<int> greeted{0};
  std::atomic<bool> answer{false};
  FrameReader reader(stream());
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    ++greeted;
    ASSERT_TRUE(reel_test::wait_until([&] { return answer.load(); }));
    fake().send(peer, fake().welcome());
  });
  reel::Frame frame;
  ASSERT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
    return greeted.load() == 1;
  }));
  for (int call = 0; call < 20; ++call) ASSERT_EQ(reader.read(frame, 1), ReadStatus::empty);
  ASSERT_TRUE(reader.prepare_wait());
  pollfd wait{reader.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 50), 0) << "its loop may sleep";
  answer.store(true);
  ASSERT_EQ(::poll(&wait, 1, 30'000), 1);
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
  EXPECT_TRUE(reader.connected()) << "by the one hello it said";
  EXPECT_EQ(greeted.load(), 1);
}

}  // namespace
