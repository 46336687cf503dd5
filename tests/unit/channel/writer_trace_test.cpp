// What a writer tells of itself while it is traced.
#include "channel_fixture.hpp"

#include <thread>

#include <reel/base/clock.hpp>
#include <reel/channel/writer_trace.hpp>

namespace {

using channel_test::bytes;
using channel_test::kWatchdogMs;
using reel::ReadStatus;
using reel::WriteStatus;
using reel_test::wait_until;

class Told final : public reel::WriterTrace {
 public:
  explicit Told(const std::atomic<std::uint32_t>& wanted) : WriterTrace(wanted) {}
  void published(const reel::PublishTimes& times) noexcept override { publishes.push_back(times); }
  void waited(std::int64_t begin_ns, std::int64_t end_ns) noexcept override {
    waits.emplace_back(begin_ns, end_ns);
  }
  std::vector<reel::PublishTimes> publishes;
  std::vector<std::pair<std::int64_t, std::int64_t>> waits;
};

class TracedWriter : public channel_test::ChannelTest {
 protected:
  reel::WriterOptions options() {
    reel::WriterOptions options;
    options.slots = 6;
    options.trace = &told_;
    return options;
  }
  std::atomic<std::uint32_t> wanted_{0};
  Told told_{wanted_};
};

TEST_F(TracedWriter, TellsOfTheFramesThatArePublishedWhileItIsWanted) {
  reel::FrameWriter writer(stream(), reel::Format(), options());
  reel::FrameReader reader(stream());
  reel::FrameInfo info;
  ASSERT_EQ(writer.write(bytes(10, 1), info), WriteStatus::ok);
  EXPECT_TRUE(told_.publishes.empty());
  wanted_.store(1, std::memory_order_relaxed);
  info.pts_ns = 77;
  const std::int64_t before_ns = reel::monotonic_ns();
  ASSERT_EQ(writer.write(bytes(10, 1), info), WriteStatus::ok);
  ASSERT_EQ(writer.write_gap(5, 6), WriteStatus::ok);
  wanted_.store(0, std::memory_order_relaxed);
  ASSERT_EQ(writer.write(bytes(10, 1), info), WriteStatus::ok);
  ASSERT_EQ(told_.publishes.size(), 2u);
  EXPECT_TRUE(told_.waits.empty());
  reel::Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  for (const reel::PublishTimes& times : told_.publishes) {
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
    EXPECT_EQ(times.sequence, frame.sequence());
    EXPECT_EQ(times.publish_ns, frame.publish_ns()) << "both sides name the frame alike";
    EXPECT_EQ(times.pts_ns, frame.info().pts_ns);
    EXPECT_LE(before_ns, times.begin_ns);
    EXPECT_LE(times.begin_ns, times.publish_ns);
    EXPECT_LE(times.publish_ns, times.end_ns);
  }
}

// A loan of memory that the stream has left is published as another frame of the new memory: once.
TEST_F(TracedWriter, TellsOnceOfAFrameThatMoved) {
  wanted_.store(1, std::memory_order_relaxed);
  auto two = options();
  two.loans = 2;
  reel::FrameWriter writer(stream(), reel::Format(), two);
  reel::Loan small;
  ASSERT_EQ(writer.acquire(small, 10), WriteStatus::ok);
  ASSERT_EQ(writer.write(bytes(1'000'000, 1)), WriteStatus::ok);
  ASSERT_EQ(writer.publish(std::move(small), {}), WriteStatus::ok);
  ASSERT_EQ(told_.publishes.size(), 2u);
  EXPECT_EQ(told_.publishes[1].sequence, told_.publishes[0].sequence + 1);
}

TEST_F(TracedWriter, TellsOfItsWaitForASlot) {
  wanted_.store(1, std::memory_order_relaxed);
  reel::FrameWriter writer(stream(), reel::Format(), options());
  reel::ReaderOptions lossless;
  lossless.policy = reel::Policy::lossless;
  reel::FrameReader reader(stream(), lossless);
  std::thread writes([&] {
    for (int i = 0; i < 12; ++i) EXPECT_EQ(writer.write(bytes(10, i)), WriteStatus::ok);
  });
  EXPECT_TRUE(wait_until([&] { return writer.stats().waits > 0; }));
  reel::Frame frame;
  for (int i = 0; i < 12; ++i) EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  writes.join();
  ASSERT_FALSE(told_.waits.empty());
  EXPECT_EQ(told_.waits.size(), writer.stats().waits);
  for (const auto& [begin_ns, end_ns] : told_.waits) EXPECT_LT(begin_ns, end_ns);
  EXPECT_EQ(told_.publishes.size(), 12u);
}

}  // namespace
