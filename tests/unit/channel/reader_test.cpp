// FrameReader: frames held and missed, damaged payloads, checksum modes, and writers that come and go in one
// process.
#include "channel_fixture.hpp"

#include <poll.h>

#include <reel/channel/observer.hpp>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using reel::ErrorCode;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::Loan;
using reel::Policy;
using reel::ReadStatus;
using reel::Start;
using reel::WriteStatus;
using reel_test::expect_error;
using reel_test::wait_until;

class Reader : public channel_test::ChannelTest {
 protected:
  /// Publishes a frame whose byte 10 changes after its checksum was taken.
  static void publish_damaged(FrameWriter& writer) {
    Loan loan;
    ASSERT_EQ(writer.acquire(loan, 100), WriteStatus::ok);
    std::byte* const payload = loan.data().data();
    std::fill_n(payload, 100, std::byte{1});
    ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok);
    payload[10] = std::byte{2};
  }
  [[nodiscard]] static bool wakes(FrameReader& reader) {
    pollfd wait{reader.fd(), POLLIN, 0};
    return ::poll(&wait, 1, kWatchdogMs) == 1;
  }
};

TEST_F(Reader, RefusesBadOptionsAndNames) {
  expect_error(ErrorCode::bad_argument, {"max_pins is 0"},
               [&] { FrameReader reader(stream(), {.max_pins = 0}); });
  expect_error(ErrorCode::bad_argument, {"max_pins is 257"},
               [&] { FrameReader reader(stream(), {.max_pins = 257}); });
  expect_error(ErrorCode::bad_argument, {"a b"}, [&] { FrameReader reader(stream(), {.name = "a b"}); });
  expect_error(ErrorCode::bad_argument, {"63"},
               [&] { FrameReader reader(stream(), {.name = std::string(64, 'a')}); });
  expect_error(ErrorCode::bad_argument, {"Bad"}, [&] { FrameReader reader("Bad"); });
  expect_error(ErrorCode::not_found, {stream(), runtime_dir().path()},
               [&] { FrameReader reader(stream(), {.reconnect = false}); });
}

TEST_F(Reader, HoldsAsManyFramesAsItsPinsAndNoMore) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream(), {.max_pins = 2});
  for (int i = 1; i <= 4; ++i) ASSERT_EQ(writer.write(bytes(50, i)), WriteStatus::ok);
  Frame first, second, third;
  ASSERT_EQ(reader.read(first, kWatchdogMs), ReadStatus::frame);
  ASSERT_EQ(reader.read(second, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(reader.read(third, kWatchdogMs), ReadStatus::too_many_held);
  first.release();
  ASSERT_EQ(reader.read(third, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(third.sequence(), 3U);
  ASSERT_EQ(reader.read(third, kWatchdogMs), ReadStatus::frame)
      << "the one that is read into is released first";
  EXPECT_EQ(third.missed_before(), 0U);
}

TEST_F(Reader, ThatIsLappedIsToldHowManyFramesItMissed) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4});
  FrameReader reader(stream(), {.max_pins = 1});
  for (int i = 1; i <= 20; ++i) ASSERT_EQ(writer.write(bytes(50, i)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_GT(frame.missed_before(), 0U);
  EXPECT_EQ(frame.sequence(), frame.missed_before() + 1);
  EXPECT_NE(frame.info().flags & reel::kDiscont, 0U);
  EXPECT_EQ(reader.stats().lapped, frame.missed_before());
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.missed_before(), 0U);
  EXPECT_EQ(frame.info().flags & reel::kDiscont, 0U);
}

TEST_F(Reader, OfTheLatestSkipsToTheNewestAndCounts) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream(), {.policy = Policy::latest});
  for (int i = 1; i <= 5; ++i) ASSERT_EQ(writer.write(bytes(50, i)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 5U);
  EXPECT_EQ(frame.missed_before(), 4U);
  EXPECT_EQ(reader.stats().skipped, 4U);
}

TEST_F(Reader, PassesOverWhatIsNotWantedWithoutLookingAtIt) {
  FrameWriter writer(stream(), reel::Format());
  std::vector<std::uint64_t> asked;
  reel::ReaderOptions options{.policy = Policy::lossless};
  options.wanted = [&](const Frame& frame) {
    asked.push_back(frame.sequence());
    return frame.sequence() % 4 == 0;
  };
  FrameReader reader(stream(), options);
  ASSERT_EQ(writer.write(bytes(100, 1), {.flags = reel::kKeyFrame | reel::kDiscont}), WriteStatus::ok);
  publish_damaged(writer);
  ASSERT_EQ(writer.write_event("lights out"), WriteStatus::ok);
  ASSERT_EQ(writer.write(bytes(100, 4)), WriteStatus::ok);
  for (int i = 5; i <= 8; ++i) ASSERT_EQ(writer.write(bytes(100, i)), WriteStatus::ok);
  writer.end();
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.info().kind, reel::FrameKind::event) << "events are not asked about";
  EXPECT_NE(frame.info().flags & reel::kDiscont, 0U) << "as a frame said that was passed over";
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 4U);
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 8U);
  EXPECT_EQ(frame.missed_before(), 0U);
  EXPECT_EQ(frame.info().flags & reel::kDiscont, 0U) << "that frames were not wanted is no discontinuity";
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::ended);
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{1, 2, 4, 5, 6, 7, 8}));
  EXPECT_EQ(reader.stats().skipped, 5U);
  EXPECT_EQ(reader.stats().corrupted, 0U) << "its payload is nobody's business";
  EXPECT_EQ(reader.stats().delivered, 3U);
}

TEST_F(Reader, DropsADamagedFrameOrFlagsItOrDoesNotLook) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 16});
  FrameReader strict(stream());
  FrameReader curious(stream(), {.deliver_corrupted = true});
  FrameReader trusting(stream(), {.verify = false});
  publish_damaged(writer);
  ASSERT_EQ(writer.write(bytes(100, 3)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(strict.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 2U);
  EXPECT_EQ(frame.missed_before(), 1U);
  EXPECT_EQ(strict.stats().corrupted, 1U);
  ASSERT_EQ(curious.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
  EXPECT_NE(frame.info().flags & reel::kCorrupted, 0U);
  EXPECT_FALSE(frame.verified());
  ASSERT_EQ(trusting.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
  EXPECT_EQ(frame.info().flags & reel::kCorrupted, 0U);
  EXPECT_EQ(trusting.stats().verified + trusting.stats().corrupted, 0U);
}

TEST_F(Reader, VerifiesSampledChecksumsAndNoneWhereThereIsNone) {
  for (const auto mode : {reel::ChecksumMode::sampled, reel::ChecksumMode::none}) {
    FrameWriter writer(stream(), reel::Format(), {.checksum = mode});
    FrameReader reader(stream());
    ASSERT_EQ(writer.write(bytes(100'000, 1)), WriteStatus::ok);
    Frame frame;
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
    EXPECT_EQ(frame.verified(), mode == reel::ChecksumMode::sampled);
    EXPECT_TRUE(all_are(frame.data(), 1));
  }
}

// What is said in the log while it lives, by this process.
class Told {
 public:
  Told() { testing::internal::CaptureStderr(); }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() {
    if (!taken_) (void)testing::internal::GetCapturedStderr();
  }
  [[nodiscard]] std::string take() {
    taken_ = true;
    return testing::internal::GetCapturedStderr();
  }

 private:
  bool taken_ = false;
};

TEST_F(Reader, ThatWaitsLongForAWriterSaysSoOnceAnAbsence) {
  const std::string misspelt = stream() + "x";
  FrameWriter writer(stream(), reel::Format());
  Frame frame;
  {
    Told told;
    FrameReader reader(misspelt, {.absence_notice_ms = 1});
    EXPECT_EQ(reader.read(frame, 1000), ReadStatus::empty) << "several looks for it";
    const std::string log = told.take();
    EXPECT_THAT(log, testing::HasSubstr("stream \"" + misspelt + "\": waiting for its writer"));
    EXPECT_THAT(log, testing::HasSubstr("looked in " + runtime_dir().path()));
    EXPECT_THAT(log, testing::HasSubstr("did you mean '" + stream() + "'?"));
    EXPECT_EQ(log.find("waiting for"), log.rfind("waiting for")) << log;
  }
  {
    Told told;
    FrameReader patient(misspelt);
    FrameReader silent(misspelt, {.absence_notice_ms = 0});
    EXPECT_EQ(patient.read(frame, 100), ReadStatus::empty);
    EXPECT_EQ(silent.read(frame, 100), ReadStatus::empty);
    EXPECT_EQ(told.take(), "");
  }
}

TEST_F(Reader, SaysSoAgainWhenTheWriterThatCameHasGone) {
  Told told;
  FrameReader reader(stream(), {.absence_notice_ms = 1});
  Frame frame;
  EXPECT_EQ(reader.read(frame, 1000), ReadStatus::empty);
  {
    FrameWriter writer(stream(), reel::Format());
    ASSERT_TRUE(
        wait_until([&] { return reader.try_read(frame) == ReadStatus::empty && reader.connected(); }));
  }
  EXPECT_EQ(reader.read(frame, 1000), ReadStatus::empty);
  const std::string log = told.take();
  EXPECT_NE(log.find("waiting for"), log.rfind("waiting for")) << log;
}

TEST_F(Reader, ThatComesFirstMeetsTheWriterAndTheNextOne) {
  FrameReader reader(stream());
  const int fd = reader.fd();
  EXPECT_FALSE(reader.connected());
  Frame frame;
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
  for (std::uint64_t life = 1; life <= 3; ++life) {
    {
      FrameWriter writer(stream(), reel::Format());
      ASSERT_EQ(writer.write(bytes(50, static_cast<int>(life))), WriteStatus::ok);
      ASSERT_TRUE(reel_test::wait_until(
          [&] { return reader.try_read(frame) == ReadStatus::frame || reader.stats().connects == life; }));
      if (!frame) {
        ASSERT_EQ(writer.write(bytes(50, static_cast<int>(life))), WriteStatus::ok);
        ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
      }
    }
    EXPECT_TRUE(all_are(frame.data(), static_cast<int>(life))) << "readable although the writer is gone";
    EXPECT_EQ((frame.info().flags & reel::kDiscont) != 0, life > 1);
    EXPECT_EQ(reader.read(frame, 1), ReadStatus::empty);
    EXPECT_EQ(reader.fd(), fd);
    EXPECT_EQ(reader.stats().connects, life);
  }
}

TEST_F(Reader, ThatHadToWaitForItsWriterLetsItsLoopSleepAfterwards) {
  FrameReader reader(stream());
  ASSERT_TRUE(reader.prepare_wait());
  ASSERT_TRUE(wakes(reader)) << "to try again";
  FrameWriter writer(stream(), reel::Format());
  ASSERT_EQ(writer.write(bytes(100, 1)), WriteStatus::ok);
  Frame frame;
  ASSERT_TRUE(reel_test::wait_until([&] {
    (void)reader.try_read(frame);
    return reader.connected();
  }));
  while (reader.try_read(frame) == ReadStatus::frame) {
  }
  ASSERT_TRUE(reader.prepare_wait());
  pollfd wait{reader.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 300), 0) << "readable with nothing to read: its loop would spin";
}

TEST_F(Reader, WithoutReconnectIsClosedAfterTheLastFrame) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream(), {.reconnect = false});
  ASSERT_EQ(writer.write(bytes(50, 1)), WriteStatus::ok);
  { const FrameWriter gone = std::move(writer); }
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::closed);
}

TEST_F(Reader, LeavesItsFramesReadableWhenItGoes) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4});
  Frame frame;
  {
    FrameReader reader(stream(), {.max_pins = 1});
    ASSERT_EQ(writer.write(bytes(50, 77)), WriteStatus::ok);
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  }
  for (int i = 0; i < 20; ++i) ASSERT_EQ(writer.write(bytes(50, 1)), WriteStatus::ok);
  EXPECT_TRUE(all_are(frame.data(), 77)) << "still pinned";
}

TEST_F(Reader, IsWokenForFramesGrowthAndTheEnd) {
  FrameWriter writer(stream(), reel::Format(), {.slot_bytes = 4096});
  FrameReader reader(stream());
  Frame frame;
  for (const std::size_t size : {100U, 50'000U}) {
    ASSERT_TRUE(reader.prepare_wait());
    ASSERT_EQ(writer.write(bytes(size, 5)), WriteStatus::ok);
    ASSERT_TRUE(wakes(reader));
    ASSERT_EQ(reader.try_read(frame), ReadStatus::frame);
    EXPECT_EQ(frame.data().size(), size);
    ASSERT_EQ(reader.try_read(frame), ReadStatus::empty);
  }
  ASSERT_EQ(writer.write(bytes(10, 5)), WriteStatus::ok);
  EXPECT_FALSE(reader.prepare_wait()) << "there is something to read already";
  ASSERT_EQ(reader.try_read(frame), ReadStatus::frame);
  ASSERT_TRUE(reader.prepare_wait());
  writer.end();
  ASSERT_TRUE(wakes(reader));
  EXPECT_EQ(reader.try_read(frame), ReadStatus::ended);
}

TEST_F(Reader, ResumesWhereTheOneOfItsNameLeft) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 16, .history = 8});
  Frame frame;
  {
    FrameReader reader(stream(), {.name = "app/r", .start = Start::resume});
    for (int i = 1; i <= 4; ++i) ASSERT_EQ(writer.write(bytes(50, i)), WriteStatus::ok);
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
    frame.release();
  }
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.readers().empty(); }));
  FrameReader again(stream(), {.name = "app/r", .start = Start::resume});
  ASSERT_EQ(again.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 2U);
}

/// The place in the writer's scan set of a reader that left before the memory grew is another's by then.
TEST_F(Reader, ThatLeftWithAFrameOfOlderMemoryTakesNobodyWithIt) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8, .slot_bytes = 4096});
  Frame held;
  {
    FrameReader gone(stream(), {.policy = Policy::lossless});
    ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
    ASSERT_EQ(gone.read(held, kWatchdogMs), ReadStatus::frame);
  }
  ASSERT_TRUE(wait_until([&] { return writer.readers().empty(); }));
  ASSERT_EQ(writer.write(bytes(100'000, 2)), WriteStatus::ok);
  FrameReader stays(stream(), {.policy = Policy::lossless});
  held.release();
  for (int i = 0; i < 2; ++i) (void)reel::StreamObserver(stream()).status();  // the hang-up came before these
  int written = 0;
  while (written < 20 && writer.write(bytes(10, 3), {}, {}, 0) == WriteStatus::ok) ++written;
  EXPECT_LE(written, 8) << "it is waited for";
}

/// Names are theirs to choose: what is remembered of them has an end.
TEST_F(Reader, IsForgottenWhenManyOthersHaveLeftSince) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 16, .history = 8});
  for (int i = 0; i < 300; ++i) {
    { FrameReader reader(stream(), {.name = "n" + std::to_string(i)}); }
    ASSERT_TRUE(wait_until([&] { return writer.readers().empty(); }));
  }
  for (int i = 0; i < 3; ++i) ASSERT_EQ(writer.write(bytes(10, i)), WriteStatus::ok);
  Frame frame;
  FrameReader last(stream(), {.name = "n299", .start = reel::Start::resume});
  ASSERT_EQ(last.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
  frame.release();
  FrameReader first(stream(), {.name = "n0", .start = reel::Start::resume});
  EXPECT_EQ(first.try_read(frame), ReadStatus::empty) << "begins live";
}

}  // namespace
