// What each policy and each start delivers, and what a reader can cost the writer and the reader next to it.
#include "raw_peer.hpp"
#include "stream_roles.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

#include <reel_test/expect_error.hpp>
#include <sys/socket.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace {

using reel::ErrorCode;
using reel::Policy;
using reel::Start;
using reel::WriteStatus;
using reel_test::ChildProcess;
using reel_test::expect_error;
using reel_test::wait_until;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::start_reader;
using stream_test::status_of;
using ::testing::HasSubstr;

constexpr std::size_t kBytes = 30'000;

class Policies : public stream_test::EveryMemory {
 protected:
  Policies() : EveryMemory(kBytes) {}
};
INSTANTIATE_TEST_SUITE_P(EveryKind, Policies, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(Policies, EveryFrameIsAccountedForByEveryPolicy) {
  constexpr std::uint64_t kFrames = 3000;
  reel::FrameWriter writer = make_writer({.slots = 16});
  ChildProcess lossless = start_reader(stream(), {"policy=lossless"});
  ChildProcess queue = start_reader(stream(), {"policy=queue"});
  ChildProcess latest = start_reader(stream(), {"policy=latest", "name=slow"});
  ASSERT_TRUE(lossless.send("take 1000000"));
  ASSERT_TRUE(queue.send("take 1000000"));
  ASSERT_TRUE(latest.send("take 1000000 20"));
  write(writer, kFrames);
  writer.end();
  const std::string all = lossless.wait_for_line("took");
  EXPECT_EQ(count_of(all), kFrames) << all;
  EXPECT_EQ(field(all, "gaps") + field(all, "bad"), 0U) << all;
  for (ChildProcess* child : {&queue, &latest}) {
    const std::string answer = child->wait_for_line("took");
    EXPECT_EQ(status_of(answer), "ended") << answer;
    EXPECT_EQ(field(answer, "last"), kFrames) << "the newest is always delivered: " << answer;
    EXPECT_EQ(field(answer, "bad"), 0U) << answer;
    const std::string stats = ask(*child, "stats", "stats");
    EXPECT_EQ(field(stats, "delivered") + field(stats, "skipped") + field(stats, "lapped"), kFrames) << stats;
    EXPECT_EQ(field(stats, "verified"), field(stats, "delivered")) << stats;
    EXPECT_EQ(field(stats, "corrupted"), 0U) << stats;
    EXPECT_EQ(field(answer, "missed"), field(stats, "skipped") + field(stats, "lapped")) << stats;
  }
  const std::vector<reel::ReaderStatus> readers = writer.readers();
  ASSERT_EQ(readers.size(), 3U) << "they are there until they are told to go";
  for (const reel::ReaderStatus& reader : readers) {
    EXPECT_TRUE(reader.waits == 0 || reader.policy == Policy::lossless) << reader.name;
  }
}

/// Must be shown: 16 slots, a reader that holds two frames for ten seconds, and a second reader that notices
/// nothing: it gets every frame of a source that cannot wait, and the writer never waits. Its frame
/// intervals, without the holder and with it, are printed: how long something takes is nothing a test can
/// promise.
TEST_P(Policies, FramesHeldForTenSecondsDisturbNoOtherReader) {
  constexpr std::uint64_t kBefore = 120;
  constexpr std::uint64_t kFrames = 600;
  reel::FrameWriter writer = make_writer({.slots = 16, .live = true});
  ChildProcess other = start_reader(stream(), {"policy=queue", "name=other"});
  // A frame each sixtieth of a second, and none before the other reader has taken the last one.
  const auto interval_of = [&](std::uint64_t frames) {
    EXPECT_TRUE(other.send("take " + std::to_string(frames)));
    auto due = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < frames; ++i) {
      write(writer, 1);
      due += std::chrono::microseconds(16'667);
      std::this_thread::sleep_until(due);
      EXPECT_TRUE(wait_until([&] {
        const auto readers = writer.readers();
        return std::all_of(readers.begin(), readers.end(), [&](const reel::ReaderStatus& reader) {
          return reader.name != "other" || reader.cursor > writer.stats().published;
        });
      }));
    }
    const std::string answer = other.wait_for_line("took");
    EXPECT_EQ(count_of(answer), frames) << answer;
    EXPECT_EQ(field(answer, "gaps") + field(answer, "missed") + field(answer, "bad"), 0U) << answer;
    return "median " + std::to_string(field(answer, "median_us")) + " us, longest " +
           std::to_string(field(answer, "longest_us")) + " us";
  };
  const std::string without = interval_of(kBefore);
  ChildProcess holder = start_reader(stream(), {"policy=queue", "pins=3"});
  ASSERT_TRUE(holder.send("hold 2"));
  (void)interval_of(2);
  ASSERT_EQ(count_of(holder.wait_for_line("holding")), 2U);
  const std::string with = interval_of(kFrames);
  std::cout << "frame interval of the other reader: without a holder " << without << "; with one " << with
            << '\n';
  EXPECT_EQ(writer.stats().waits, 0U);
  EXPECT_EQ(ask(holder, "check", "held"), "held frames whole") << "nothing was written into what it held";
  EXPECT_EQ(ask(holder, "release", "released"), "released");
  const std::string later = ask(holder, "take 1", "took");
  EXPECT_GT(field(later, "missed"), 0U) << "what it missed meanwhile is counted: " << later;
}

TEST_P(Policies, StartsBeginWhereTheySay) {
  reel::FrameWriter writer = make_writer({.slots = 16, .history = 8});
  write(writer, 3);
  write(writer, 2, 0);
  write(writer, 1, reel::kKeyFrame);
  write(writer, 2, 0);
  reel::Frame frame;
  reel::FrameReader oldest(stream(), {.start = Start::oldest});
  ASSERT_EQ(oldest.read(frame, 30'000), reel::ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 1U);
  frame.release();
  reel::FrameReader key(stream(), {.start = Start::keyframe});
  ASSERT_EQ(key.read(frame, 30'000), reel::ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 6U);
  frame.release();
  reel::FrameReader live(stream(), {.start = Start::live});
  EXPECT_EQ(live.try_read(frame), reel::ReadStatus::empty);
  write(writer, 1);
  ASSERT_EQ(live.read(frame, 30'000), reel::ReadStatus::frame);
  EXPECT_EQ(frame.sequence(), 9U);
}

TEST_P(Policies, ANamedReaderResumesWhereItDied) {
  reel::FrameWriter writer = make_writer({.slots = 16, .history = 10});
  {
    ChildProcess first = start_reader(stream(), {"policy=queue", "name=app/faces", "start=resume"});
    write(writer, 6);
    ASSERT_EQ(count_of(ask(first, "take 4", "took")), 4U);
    first.signal(SIGKILL);
    (void)first.wait();
  }
  ASSERT_TRUE(wait_until([&] { return writer.readers().empty(); }));
  write(writer, 2);
  ChildProcess again = start_reader(stream(), {"policy=queue", "name=app/faces", "start=resume"});
  const std::string answer = ask(again, "take 4", "took");
  EXPECT_EQ(field(answer, "first"), 5U) << answer;
  EXPECT_EQ(count_of(answer), 4U) << answer;
  ChildProcess stranger = start_reader(stream(), {"policy=queue", "name=app/other", "start=resume"});
  write(writer, 1);
  EXPECT_EQ(field(ask(stranger, "take 1", "took"), "first"), 9U) << "an unknown name begins live";
}

TEST_P(Policies, LatestOnAudioIsRefusedWithTheReason) {
  reel::FrameWriter writer = make_writer({}, reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 2});
  expect_error(ErrorCode::refused, {stream(), "audio", "queue"},
               [&] { reel::FrameReader reader(stream(), {.policy = Policy::latest}); });
  EXPECT_NO_THROW(reel::FrameReader reader(stream(), {.policy = Policy::lossless}));
}

TEST_P(Policies, APolicyThatTheWriterDoesNotAllowIsRefused) {
  reel::FrameWriter writer = make_writer({.allowed_policies = {Policy::queue, Policy::latest}});
  expect_error(ErrorCode::refused, {stream(), "lossless"},
               [&] { reel::FrameReader reader(stream(), {.policy = Policy::lossless}); });
  EXPECT_NO_THROW(reel::FrameReader reader(stream(), {.policy = Policy::queue}));
  EXPECT_EQ(writer.stats().refused, 1U);
}

TEST_P(Policies, AdmissionDoesTheSum) {
  reel::FrameWriter writer = make_writer({.slots = 8});
  ChildProcess first = start_reader(stream(), {"pins=2"});
  ChildProcess second = start_reader(stream(), {"pins=3"});
  expect_error(ErrorCode::refused,
               {stream(), "8 slots", "need 10", "1 history", "1 loans", "5 pins", "2 pins asked", "max_pins"},
               [&] { reel::FrameReader third(stream(), {.max_pins = 2}); });
  second.signal(SIGKILL);
  (void)second.wait();
  ASSERT_TRUE(wait_until([&] { return writer.readers().size() == 1; }));
  EXPECT_NO_THROW(reel::FrameReader third(stream(), {.max_pins = 2}));
}

TEST_P(Policies, LagOfLosslessReadersOnALiveWriterCounts) {
  reel::FrameWriter writer = make_writer({.slots = 8, .live = true, .lag_frames = 5});
  expect_error(ErrorCode::refused, {stream(), "5 lag"},
               [&] { reel::FrameReader reader(stream(), {.policy = Policy::lossless}); });
  EXPECT_NO_THROW(reel::FrameReader reader(stream(), {.policy = Policy::queue}));
}

TEST_P(Policies, ThereAreSixtyFourReadersAndNoMore) {
  reel::FrameWriter writer = make_writer({.slots = 256, .slot_bytes = 4096});
  std::vector<std::unique_ptr<stream_test::RawReader>> readers;
  for (int i = 0; i < 64; ++i) {
    readers.push_back(std::make_unique<stream_test::RawReader>(runtime_dir().path(), stream(),
                                                               stream_test::hello(Policy::queue, 1)));
  }
  expect_error(ErrorCode::refused, {stream(), "64 readers"},
               [&] { reel::FrameReader one_more(stream(), {.max_pins = 1}); });
  write(writer, 10, reel::kKeyFrame, 1000);
  EXPECT_EQ(writer.readers().size(), 64U);
  readers.pop_back();
  ASSERT_TRUE(wait_until([&] { return writer.readers().size() == 63; }));
  EXPECT_NO_THROW(reel::FrameReader one_more(stream(), {.max_pins = 1}));
}

TEST_P(Policies, GrowthKeepsNumbersAndHeldFramesAndSaysNoDiscont) {
  reel::FrameWriter writer = make_writer({.slots = 16, .slot_bytes = 4096});
  ChildProcess lossless = start_reader(stream(), {"policy=lossless"});
  ChildProcess queue = start_reader(stream(), {"policy=queue"});
  ChildProcess holder = start_reader(stream(), {"policy=queue", "pins=3"});
  write(writer, 6, reel::kKeyFrame, 4000);
  ASSERT_EQ(count_of(ask(holder, "hold 2", "holding")), 2U);
  ASSERT_EQ(count_of(ask(lossless, "take 2", "took")), 2U);
  write(writer, 3, reel::kKeyFrame, 100'000);
  write(writer, 3, reel::kKeyFrame, 900'000);
  EXPECT_GE(writer.stats().epochs, 3U);
  for (auto [child, owed] : {std::pair(&lossless, 10U), std::pair(&queue, 12U)}) {
    const std::string answer = ask(*child, "take " + std::to_string(owed), "took");
    EXPECT_EQ(count_of(answer), owed) << answer << child->errors();
    EXPECT_EQ(field(answer, "last"), 12U) << answer;
    EXPECT_EQ(
        field(answer, "gaps") + field(answer, "discont") + field(answer, "missed") + field(answer, "bad"), 0U)
        << answer;
    EXPECT_EQ(field(ask(*child, "stats", "stats"), "connects"), 1U);
  }
  EXPECT_EQ(ask(holder, "check", "held"), "held frames whole");
  EXPECT_EQ(ask(holder, "release", "released"), "released");
  EXPECT_EQ(field(ask(holder, "take 10", "took"), "last"), 12U);
  ChildProcess late = start_reader(stream(), {"start=oldest"});
  EXPECT_EQ(field(ask(late, "take 1", "took"), "bad"), 0U);
}

TEST_P(Policies, GrowthWhileReadersSleepAndReadersThatNeverRead) {
  reel::FrameWriter writer = make_writer({.slots = 16, .slot_bytes = 4096});
  ChildProcess sleeper = start_reader(stream(), {"policy=lossless"});
  ChildProcess stopped = start_reader(stream(), {"policy=queue"});
  stopped.signal(SIGSTOP);
  ASSERT_TRUE(sleeper.send("take 60"));
  for (std::size_t step = 1; step <= 30; ++step) {
    write(writer, 2, reel::kKeyFrame, 5000 * step);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const std::string answer = sleeper.wait_for_line("took");
  EXPECT_EQ(count_of(answer), 60U) << answer << sleeper.errors();
  EXPECT_EQ(field(answer, "gaps") + field(answer, "discont") + field(answer, "bad"), 0U) << answer;
  stopped.signal(SIGCONT);
  const std::string late = ask(stopped, "take 1", "took");
  EXPECT_EQ(count_of(late), 1U) << late << stopped.errors();
  EXPECT_EQ(field(late, "bad"), 0U) << late;
}

TEST_P(Policies, AFrameBeyondMaxBytesIsRefusedAndTheStreamGoesOn) {
  reel::FrameWriter writer = make_writer({.slots = 4, .slot_bytes = 4096, .max_bytes = 2'000'000});
  ChildProcess reader = start_reader(stream(), {"policy=lossless", "pins=1"});
  EXPECT_EQ(writer.write(stream_test::pattern(5'000'000, 1), {}), WriteStatus::too_large);
  EXPECT_THAT(writer.error(), HasSubstr("max_bytes"));
  write(writer, 2, reel::kKeyFrame, 4000);
  EXPECT_EQ(count_of(ask(reader, "take 2", "took")), 2U);
}

TEST_P(Policies, ABlockedReadAndABlockedAcquireAreInterrupted) {
  reel::FrameWriter writer = make_writer({.slots = 4});
  reel::FrameReader reader(stream(), {.policy = Policy::lossless, .max_pins = 1});
  std::thread reading([&] {
    reel::Frame frame;
    EXPECT_EQ(reader.read(frame), reel::ReadStatus::interrupted);
    EXPECT_EQ(reader.read(frame), reel::ReadStatus::interrupted) << "until resume()";
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  reader.interrupt();
  reading.join();
  reader.resume();

  std::atomic<bool> blocked{false};
  std::thread writing([&] {
    WriteStatus status = WriteStatus::ok;
    for (int i = 0; i < 10 && status == WriteStatus::ok; ++i)
      status = writer.write(stream_test::pattern(kBytes, 1));
    blocked.store(true, std::memory_order_relaxed);
    EXPECT_EQ(status, WriteStatus::interrupted);
  });
  ASSERT_TRUE(wait_until([&] { return writer.stats().waits > 0; }));
  EXPECT_FALSE(blocked.load(std::memory_order_relaxed));
  writer.interrupt();
  writing.join();
  writer.resume();
  reel::Frame frame;
  EXPECT_EQ(reader.read(frame, 30'000), reel::ReadStatus::frame);
}

TEST_P(Policies, AReaderWithoutAWriterIsInterruptedToo) {
  reel::FrameReader reader(stream());
  std::thread reading([&] {
    reel::Frame frame;
    EXPECT_EQ(reader.read(frame), reel::ReadStatus::interrupted);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  reader.interrupt();
  reading.join();
}

/// The sum of admission: pins within their quotas never keep the last slot from the writer.
TEST_P(Policies, PinsAloneNeverMakeTheWriterWait) {
  reel::FrameWriter writer = make_writer({.slots = 5});
  ChildProcess holder = start_reader(stream(), {"policy=queue", "pins=2"});
  write(writer, 2);
  ASSERT_EQ(count_of(ask(holder, "hold 2", "holding")), 2U);
  write(writer, 50);
  reel::Loan loan, second;
  ASSERT_EQ(writer.acquire(loan, kBytes, 0), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.acquire(second, kBytes, 0), WriteStatus::bad_argument) << "loans is 1";
  EXPECT_THAT(writer.error(), HasSubstr("1 loans are open, loans allows 1"));
  loan.cancel();
  EXPECT_EQ(writer.acquire(second, kBytes, 0), WriteStatus::ok);
  EXPECT_EQ(writer.stats().waits, 0U);
}

TEST_P(Policies, AnAcquireThatTimesOutSaysWhoHoldsTheSlots) {
  reel::FrameWriter writer = make_writer({.slots = 8});
  ChildProcess holder = start_reader(stream(), {"policy=lossless", "pins=3", "name=app/slow"});
  ChildProcess queue = start_reader(stream(), {"policy=queue", "pins=2", "name=app/queue"});
  write(writer, 8);
  ASSERT_EQ(count_of(ask(holder, "hold 2", "holding")), 2U);
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan, kBytes, 300), WriteStatus::timeout);
  EXPECT_THAT(writer.error(),
              HasSubstr("within 300 ms: reader \"app/slow\" (pid " + std::to_string(holder.pid()) +
                        ", lossless) holds 2 slots and has 6 frames still to take"));
  EXPECT_THAT(writer.error(), ::testing::Not(HasSubstr("app/queue"))) << "it holds nothing up";
  EXPECT_EQ(ask(holder, "release", "released"), "released");
  EXPECT_EQ(writer.acquire(loan, kBytes, 30'000), WriteStatus::ok);
}

TEST_P(Policies, ALosslessReaderHoldsTheWriterUntilItReads) {
  reel::FrameWriter writer = make_writer({.slots = 8});
  ChildProcess reader = start_reader(stream(), {"policy=lossless"});
  std::uint64_t written = 0;
  while (writer.write(stream_test::pattern(kBytes, written + 1), {.offset = written + 1}, {}, 200) ==
         WriteStatus::ok)
    ++written;
  EXPECT_EQ(written, 8U) << "every slot, and not one more";
  EXPECT_EQ(writer.readers().at(0).waits, 1U);
  const std::string answer = ask(reader, "take 3", "took");
  EXPECT_EQ(field(answer, "gaps"), 0U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(writer.write(stream_test::pattern(kBytes, written + 1), {.offset = written + 1}, {}, 30'000),
              WriteStatus::ok);
    ++written;
  }
  writer.end();
  const std::string rest = ask(reader, "take 100", "took");
  EXPECT_EQ(field(rest, "last"), written) << rest;
  EXPECT_EQ(field(rest, "gaps") + field(rest, "bad"), 0U) << rest;
  EXPECT_TRUE(writer.drain(30'000));
}

TEST_P(Policies, AWriterWaitsForItsDeclaredReaders) {
  reel::FrameWriter writer = make_writer({.slots = 8, .wait_for = {"app/one", "app/two"}});
  std::thread writing([&] { write(writer, 4); });
  ChildProcess one = start_reader(stream(), {"name=app/one"});
  EXPECT_EQ(writer.stats().published, 0U);
  ChildProcess two = start_reader(stream(), {"name=app/two"});
  writing.join();
  for (ChildProcess* child : {&one, &two}) {
    const std::string answer = ask(*child, "take 4", "took");
    EXPECT_EQ(field(answer, "first"), 1U) << answer;
    EXPECT_EQ(count_of(answer), 4U) << answer;
  }
}

}  // namespace
