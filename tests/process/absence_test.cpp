// What a lossless reader that was killed gets when it is back: HANDSHAKE.md, "Life and death".
#include "raw_peer.hpp"
#include "stream_roles.hpp"

#include <atomic>
#include <csignal>
#include <optional>
#include <thread>

#include <reel_test/wait_until.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/observer.hpp>
#include <reel/ring/stream_memory.hpp>

namespace {

using reel::WriteStatus;
using reel_test::ChildProcess;
using reel_test::wait_until;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::RawReader;
using stream_test::start_reader;

constexpr int kLong_ms = 60'000;

class Absence : public stream_test::StreamTest {
 protected:
  struct Interrupted {
    reel::FrameWriter& writer;
    ~Interrupted() { writer.interrupt(); }
  };
  [[nodiscard]] reel::FrameWriter make_writer(int absence_timeout_ms,
                                              const std::atomic<std::uint64_t>* ended = nullptr) const {
    reel::WriterOptions options;
    options.slots = 8;
    options.slot_bytes = kBytes;
    options.wait_for = {"app/in"};
    options.ended_readers = ended;
    options.absence_timeout_ms = absence_timeout_ms;
    return reel::FrameWriter(stream(), reel::Format(), options);
  }
  [[nodiscard]] ChildProcess start(const std::string& name = "app/in") const {
    return start_reader(stream(), {"policy=lossless", "name=" + name, "start=resume", "pins=3"});
  }
  void write(reel::FrameWriter& writer, std::uint64_t count, std::size_t bytes = kBytes) {
    for (std::uint64_t i = 0; i < count; ++i) {
      reel::FrameInfo info;
      info.offset = ++number_;
      ASSERT_EQ(writer.write(stream_test::pattern(bytes, number_), info, {}, kLong_ms), WriteStatus::ok)
          << writer.error();
    }
  }
  static void kill(ChildProcess& child) {
    child.signal(SIGKILL);
    (void)child.wait();
  }
  static constexpr std::size_t kBytes = 20'000;

 private:
  std::uint64_t number_ = 0;
};

TEST_F(Absence, EndsWithTheWordThatTheReaderWillNotComeBack) {
  std::atomic<std::uint64_t> ended{0};
  reel::FrameWriter writer = make_writer(3'600'000, &ended);
  ChildProcess doomed = start();
  ASSERT_EQ(count_of((write(writer, 2), ask(doomed, "take 2", "took"))), 2U);
  kill(doomed);
  std::jthread writing([&] { write(writer, 100); });
  ASSERT_TRUE(wait_until([&] { return writer.stats().waits > 0; })) << "it is waited for";
  EXPECT_LT(writer.stats().published, 20U);
  ended = 1;
  writing.join();
  EXPECT_EQ(writer.stats().published, 102U);
}

TEST_F(Absence, OfADeclaredLosslessReaderLosesNothingAndWhatItHeldComesAgain) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  std::optional<ChildProcess> doomed(start());
  constexpr std::uint64_t kFrames = 200;
  std::jthread writing([&] {
    write(writer, kFrames);
    writer.end();
  });
  std::uint64_t done = 0;
  for (int life = 0; life < 4; ++life) {
    const std::string before = ask(*doomed, "take 20", "took");
    EXPECT_EQ(field(before, "first"), done + 1) << "what it held, again: " << before;
    EXPECT_EQ(count_of(before), 20U) << before;
    EXPECT_EQ(field(before, "gaps") + field(before, "missed") + field(before, "bad"), 0U) << before;
    done += 20;
    ASSERT_EQ(count_of(ask(*doomed, "hold 2", "holding")), 2U);
    // The writer fills what there is, and has looked for more.
    ASSERT_TRUE(wait_until([&] { return writer.stats().published == done + 8; }));
    kill(*doomed);
    ASSERT_TRUE(wait_until([&] { return writer.readers().at(0).away_ms != 0; }));
    EXPECT_EQ(writer.stats().published, done + 8) << "it is waited for";
    doomed.emplace(start());
  }
  const std::string rest = ask(*doomed, "take 1000", "took");
  EXPECT_EQ(field(rest, "first"), done + 1) << rest;
  EXPECT_EQ(field(rest, "last"), kFrames) << rest;
  EXPECT_EQ(field(rest, "gaps") + field(rest, "missed") + field(rest, "bad"), 0U) << rest;
  EXPECT_EQ(stream_test::status_of(rest), "ended");
  writing.join();
  EXPECT_TRUE(writer.drain(kLong_ms));
}

TEST_F(Absence, BeyondItsTimeIsCountedFrameByFrame) {
  reel::FrameWriter writer = make_writer(300);
  ChildProcess doomed = start();
  write(writer, 4);
  ASSERT_EQ(count_of(ask(doomed, "take 4", "took")), 4U);
  kill(doomed);
  write(writer, 50);  // waits once, then no more
  EXPECT_EQ(writer.stats().waits, 1U);
  ChildProcess late = start();
  writer.end();
  const std::string answer = ask(late, "take 1000", "took");
  EXPECT_EQ(field(answer, "missed") + count_of(answer), 50U) << answer;
  EXPECT_GT(field(answer, "missed"), 30U) << answer;
  EXPECT_EQ(field(answer, "discont"), 1U) << "and signalled: " << answer;
}

TEST_F(Absence, OverAGrowthLosesWhatLayInTheOldMemoryAndCountsIt) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  ChildProcess doomed = start();
  write(writer, 6);
  ASSERT_EQ(count_of(ask(doomed, "take 2", "took")), 2U);
  kill(doomed);
  ASSERT_TRUE(wait_until([&] { return writer.readers().at(0).away_ms != 0; }));
  write(writer, 5, 100'000);
  EXPECT_EQ(writer.stats().epochs, 2U);
  ChildProcess late = start();
  writer.end();
  const std::string answer = ask(late, "take 1000", "took");
  EXPECT_EQ(field(answer, "first"), 7U) << answer;
  EXPECT_EQ(count_of(answer), 5U) << answer;
  EXPECT_EQ(field(answer, "missed"), 4U) << "3 to 6, counted: " << answer;
  EXPECT_EQ(field(ask(late, "stats", "stats"), "corrupted"), 0U);
}

/// The slot of a held frame that was taken back is the first to be filled when its reader's pins go: by then
/// the writer must know where that reader has to go on.
TEST_F(Absence, BeginsAtTheFrameThatWasHeldHoweverFastTheWriterGoesOn) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  reel::HelloMessage greeting = stream_test::hello(reel::Policy::lossless, 3, "app/in");
  greeting.start = static_cast<std::uint32_t>(reel::Start::resume);
  std::jthread writing([&] {
    const auto frame = stream_test::pattern(64, 1);
    while (writer.write(frame) == WriteStatus::ok) continue;
  });
  const Interrupted at_the_end{writer};
  std::uint64_t held = 0;
  for (int life = 0; life < 100; ++life) {
    const RawReader reader(runtime_dir().path(), stream(), greeting);
    const std::uint64_t cursor = reader.page().cursor.load(std::memory_order_relaxed);
    ASSERT_TRUE(life == 0 || cursor == held) << cursor << " instead of " << held << "life " << life;
    const reel::MappedStreamMemory memory(
        reel::SegmentKind::memfd, reel::UniqueFd(::dup(reader.received.fds[0].get())),
        reader.welcome.control_bytes, reel::UniqueFd(::dup(reader.received.fds[1].get())),
        reader.welcome.payload_bytes);
    const reel::StreamView& view = memory.view();
    const auto head = [&] {
      return reel::sequence_of(view.header->head.load(std::memory_order_acquire)) + 1;
    };
    held = std::max(cursor, view.header->oldest.load(std::memory_order_acquire));
    ASSERT_TRUE(wait_until([&] { return head() > held; }));
    const std::uint32_t slot = reel::slot_of(view.ring_at(held).load(std::memory_order_acquire));
    reader.page().pins[slot / 64].store(std::uint64_t{1} << (slot % 64), std::memory_order_seq_cst);
    reader.page().cursor.store(std::uint64_t{1} << 40, std::memory_order_seq_cst);  // takes all there is
    const std::byte kick{};
    reader.peer.send({&kick, 1});
    const std::uint64_t retired = reel::slot_word(held, reel::SlotState::retired);
    ASSERT_TRUE(
        wait_until([&] { return view.slots[slot].state.load(std::memory_order_acquire) == retired; }));
  }
}

TEST_F(Absence, ThatIsOnPurposeOrOfAStrangerIsNotWaitedFor) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  {
    reel::FrameReader leaves(stream(), {.name = "app/in", .policy = reel::Policy::lossless});
    write(writer, 2);
  }
  ChildProcess stranger = start("app/other");
  kill(stranger);
  ASSERT_TRUE(wait_until([&] { return writer.readers().empty(); }));
  write(writer, 50);
  EXPECT_EQ(writer.stats().waits, 0U);
}

TEST_F(Absence, OfAReaderThatHasSaidItComesBackIsWaitedForUndeclared) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  reel::ReaderOptions options{.name = "app/later", .policy = reel::Policy::lossless, .comes_back = true};
  {
    reel::FrameReader dies(stream(), options);
    write(writer, 2);
    dies.keep_place();  // as if its process had died
  }
  ASSERT_TRUE(wait_until([&] { return writer.readers().at(0).away_ms != 0; }));
  std::jthread writing([&] { write(writer, 100); });
  const Interrupted stopped{writer};
  ASSERT_TRUE(wait_until([&] { return writer.stats().waits > 0; })) << "it is waited for";
  options.start = reel::Start::resume;
  reel::FrameReader back(stream(), options);
  reel::Frame frame;
  for (std::uint64_t number = 1; number <= 102; ++number) {
    ASSERT_EQ(back.read(frame, kLong_ms), reel::ReadStatus::frame) << number;
    ASSERT_EQ(frame.info().offset, number);
  }
}

TEST_F(Absence, BeyondItsTimeGivesItsPlaceToAGuestOfAWriterThatNeverWaits) {
  reel::FrameWriter writer = make_writer(300);
  ChildProcess doomed = start();  // 3 pins
  write(writer, 2);
  kill(doomed);
  EXPECT_TRUE(wait_until([&] {
    try {
      const reel::FrameReader guest(stream(), {.max_pins = 3});
      return true;
    } catch (const reel::Error&) {
      return false;
    }
  }));
  EXPECT_EQ(writer.stats().waits, 0U);
}

TEST_F(Absence, OfTheSixtyFourthReaderKeepsItsPlaceInTheSet) {
  reel::WriterOptions options;
  options.slots = 80;
  options.slot_bytes = kBytes;
  options.wait_for = {"app/in"};
  options.absence_timeout_ms = kLong_ms;
  reel::FrameWriter writer(stream(), reel::Format(), options);
  std::vector<reel::FrameReader> guests;
  for (int i = 0; i < 62; ++i) guests.emplace_back(stream(), reel::ReaderOptions{.max_pins = 1});
  ChildProcess doomed = start();
  guests.emplace_back(stream(), reel::ReaderOptions{.max_pins = 1});
  write(writer, 8);
  kill(doomed);
  ASSERT_TRUE(wait_until([&] { return writer.readers().back().away_ms != 0; }));
  EXPECT_ANY_THROW(reel::FrameReader(stream(), {.max_pins = 1})) << "64 are all there can be";
  ChildProcess back = start();
  const std::string answer = ask(back, "take 8", "took");
  EXPECT_EQ(field(answer, "first"), 1U) << answer << back.errors();
  EXPECT_EQ(count_of(answer), 8U) << answer;
}

TEST_F(Absence, IsToldByAnAcquireThatTimesOutAndKeepsItsPlaceFromGuests) {
  reel::FrameWriter writer = make_writer(kLong_ms);
  ChildProcess doomed = start();  // 3 pins
  const auto pid = static_cast<std::uint32_t>(doomed.pid());
  write(writer, 8);
  kill(doomed);
  ASSERT_TRUE(wait_until([&] { return writer.readers().at(0).away_ms != 0; }));
  reel::Loan loan;
  EXPECT_EQ(writer.acquire(loan, kBytes, 0), WriteStatus::timeout);
  EXPECT_THAT(writer.error(),
              ::testing::HasSubstr("\"app/in\" (gone, and waited for) has 8 frames still to take"));
  const std::vector<reel::ReaderStatus> seen = reel::StreamObserver(stream()).status().readers;
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, "app/in");
  EXPECT_EQ(seen[0].pid, pid);
  EXPECT_EQ(seen[0].cursor, 1U);
  EXPECT_GT(seen[0].away_ms, 0U);
  EXPECT_ANY_THROW(reel::FrameReader(stream(), {.max_pins = 3})) << "8 slots hold 3 pins and 2 beside";
  EXPECT_NO_THROW(reel::FrameReader(stream(), {.max_pins = 2}));
  ChildProcess back = start();
  EXPECT_EQ(field(ask(back, "take 8", "took"), "first"), 1U);
  EXPECT_EQ(writer.readers().at(0).away_ms, 0U);
  EXPECT_EQ(writer.acquire(loan, kBytes, kLong_ms), WriteStatus::ok);
}

}  // namespace
