// Must be shown: a byte of a READY slot that changes before a reader takes the frame is seen, counted and not
// handed on.
#include "stream_roles.hpp"

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <reel_test/process_facts.hpp>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/observer.hpp>

namespace {

using reel::ReadStatus;
using reel_test::ChildProcess;
using stream_test::ask;
using stream_test::count_of;
using stream_test::start_writer;

constexpr std::uint64_t kDamaged = 3;  // of five frames

class Corruption : public stream_test::EveryMemory {
 protected:
  Corruption() = default;
  void SetUp() override {
    writer_ = std::make_unique<ChildProcess>(start_writer(stream(), {memory(), "slots=8"}));
  }
  void publish_five() { ASSERT_EQ(count_of(ask(*writer_, "write 5", "wrote")), 5U); }

  /// Flips one byte of frame kDamaged in the writer's memory, through /proc/PID/mem; false when the frame is
  /// not found.
  [[nodiscard]] bool flip_a_byte() const {
    const reel::UniqueFd memory_of(
        ::open(("/proc/" + std::to_string(writer_->pid()) + "/mem").c_str(), O_RDWR | O_CLOEXEC));
    if (!memory_of) return false;
    const std::vector<std::byte> frame = stream_test::pattern(stream_test::kFrameBytes, kDamaged);
    for (const reel_test::Mapping& mapping : reel_test::mappings_of(".payload", writer_->pid())) {
      std::vector<std::byte> bytes(mapping.end - mapping.begin);
      if (::pread(memory_of.get(), bytes.data(), bytes.size(), static_cast<off_t>(mapping.begin)) < 0)
        return false;
      const auto found = std::search(bytes.begin(), bytes.end(), frame.begin(), frame.end());
      if (found == bytes.end()) continue;
      const std::size_t place = static_cast<std::size_t>(found - bytes.begin()) + 54'321;
      const std::byte flipped = bytes.at(place) ^ std::byte{0x10};
      return ::pwrite(memory_of.get(), &flipped, 1, static_cast<off_t>(mapping.begin + place)) == 1;
    }
    return false;
  }
  void TearDown() override {
    writer_->close_input();
    EXPECT_TRUE(writer_->wait().ok());
    StreamTest::TearDown();
  }

 private:
  std::unique_ptr<ChildProcess> writer_;
};
INSTANTIATE_TEST_SUITE_P(EveryKind, Corruption, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(Corruption, OfOneByteDropsExactlyThatFrame) {
  reel::FrameReader reader(stream());
  reel::FrameReader trusting(stream(), {.verify = false});
  publish_five();
  ASSERT_TRUE(flip_a_byte());
  reel::Frame frame;
  for (const std::uint64_t expected : {1U, 2U, 4U, 5U}) {
    ASSERT_EQ(reader.read(frame, 30'000), ReadStatus::frame);
    EXPECT_EQ(frame.sequence(), expected);
    EXPECT_TRUE(frame.verified());
    EXPECT_TRUE(stream_test::pattern_holds(frame.data(), expected));
    EXPECT_EQ(frame.missed_before(), expected == 4 ? 1U : 0U);
  }
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
  EXPECT_EQ(reader.stats().corrupted, 1U);
  EXPECT_EQ(reader.stats().delivered, 4U);
  EXPECT_EQ(reader.stats().verified, 4U);
  EXPECT_EQ(reader.stats().skipped + reader.stats().lapped, 0U);

  for (std::uint64_t expected = 1; expected <= 5; ++expected) {
    ASSERT_EQ(trusting.read(frame, 30'000), ReadStatus::frame);
    EXPECT_EQ(stream_test::pattern_holds(frame.data(), expected), expected != kDamaged)
        << "the byte was flipped";
    EXPECT_FALSE(frame.verified());
  }
  EXPECT_EQ(trusting.stats().verified, 0U);
}

TEST_P(Corruption, IsFlaggedForWhoAsksForTheFrameAllTheSame) {
  reel::FrameReader reader(stream(), {.deliver_corrupted = true});
  publish_five();
  ASSERT_TRUE(flip_a_byte());
  reel::Frame frame;
  for (std::uint64_t expected = 1; expected <= 5; ++expected) {
    ASSERT_EQ(reader.read(frame, 30'000), ReadStatus::frame);
    EXPECT_EQ(frame.sequence(), expected);
    EXPECT_EQ((frame.info().flags & reel::kCorrupted) != 0, expected == kDamaged);
    EXPECT_EQ(frame.verified(), expected != kDamaged);
  }
  EXPECT_EQ(reader.stats().corrupted, 1U);
  EXPECT_EQ(reader.stats().delivered, 5U);
}

TEST_P(Corruption, IsSeenByAnObserver) {
  publish_five();
  ASSERT_TRUE(flip_a_byte());
  reel::StreamObserver observer(stream());
  int damaged = 0;
  for (const reel::SlotStatus& slot : observer.slots()) {
    if (slot.state != "ready") continue;
    EXPECT_EQ(slot.verdict, slot.sequence == kDamaged ? "corrupted" : "ok") << slot.sequence;
    damaged += slot.verdict == "corrupted" ? 1 : 0;
  }
  EXPECT_EQ(damaged, 1);
}

}  // namespace
