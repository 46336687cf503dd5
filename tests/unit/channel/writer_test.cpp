// FrameWriter: options, formats and records, side data, gaps and events, waiting for readers, the end of a
// stream, numbers.
#include "channel_fixture.hpp"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <reel/base/unique_fd.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using channel_test::nv12;
using reel::ErrorCode;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::Policy;
using reel::ReadStatus;
using reel::WriteStatus;
using reel_test::expect_error;
using reel_test::wait_until;
using ::testing::HasSubstr;

class Writer : public channel_test::ChannelTest {
 protected:
  void refused(const reel::WriterOptions& options, std::initializer_list<std::string> words) {
    expect_error(ErrorCode::bad_argument, words,
                 [&] { FrameWriter writer(stream(), reel::Format(), options); });
  }
};

TEST_F(Writer, RefusesEveryBadOptionWithItsValueAndLimit) {
  refused({.slots = 1}, {"slots is 1", "2 to 256"});
  refused({.slots = 257}, {"slots is 257", "2 to 256"});
  refused({.loans = 0}, {"loans is 0"});
  refused({.slots = 4, .history = 3}, {"slots is 4", "3 history", "need 5"});
  refused({.side_data_bytes = (16u << 20) + 8}, {"side_data_bytes is 16777224", "16 MiB"});
  refused({.side_data_bytes = 13}, {"side_data_bytes is 13", "8"});
  for (const std::string name : {"", "Upper", "-first", "a/b", "a b"})
    expect_error(ErrorCode::bad_argument, {"\"" + name + "\"", "63"}, [&] { FrameWriter writer(name); });
  expect_error(ErrorCode::bad_argument, {"63"}, [] { FrameWriter writer(std::string(64, 'a')); });
  expect_error(ErrorCode::no_memory, {stream(), "max_bytes"},
               [&] { FrameWriter writer(stream(), nv12(1920, 1080), {.max_bytes = 1'000'000}); });
  EXPECT_NO_THROW(FrameWriter writer(stream(), reel::Format())) << "the name is free again";
}

TEST_F(Writer, RefusesANameThatIsWrittenInThisProcess) {
  FrameWriter writer(stream());
  expect_error(ErrorCode::in_use, {stream()}, [&] { FrameWriter second(stream()); });
}

TEST_F(Writer, KeepsItsMemoryForAnEqualFormatAndGrowsForALargerOne) {
  FrameWriter writer(stream(), nv12(64, 48));
  FrameReader reader(stream());
  writer.set_format(nv12(64, 48));
  writer.set_format(nv12(32, 32));
  EXPECT_EQ(writer.stats().epochs, 1U);
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  EXPECT_EQ(loan.size(), 32U * 32 * 3 / 2);
  writer.set_format(nv12(640, 480));
  EXPECT_EQ(writer.stats().epochs, 2U);
  EXPECT_EQ(writer.format(), nv12(640, 480));
  ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.format(), nv12(32, 32)) << "the one set when the slot was acquired";
}

TEST_F(Writer, MakesItsMemoryOnceForFramesItWasToldOf) {
  FrameWriter writer(stream());
  writer.reserve(100'000);
  writer.reserve(10);
  writer.set_format(nv12(64, 48));
  ASSERT_EQ(writer.write(bytes(100'000, 1)), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.stats().epochs, 1U);
  writer.reserve(200'000);
  EXPECT_EQ(writer.stats().epochs, 2U) << "later it grows at once";
  ASSERT_EQ(writer.write(bytes(200'000, 1)), WriteStatus::ok) << writer.error();
  EXPECT_EQ(writer.stats().epochs, 2U);
  expect_error(ErrorCode::no_memory, {stream(), "max_bytes"},
               [&] { writer.reserve(std::uint64_t{1} << 34); });
  EXPECT_EQ(writer.write(bytes(200'000, 1)), WriteStatus::ok) << "goes on as it was: " << writer.error();
}

TEST_F(Writer, LosesNothingWhenATableOfRecordsIsFull) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8});
  FrameReader reader(stream(), {.policy = Policy::lossless});
  for (int i = 1; i <= 100; ++i) {
    writer.set_format(nv12(static_cast<std::uint32_t>(2 * i % 60 + 2), 2));
    writer.set_segment({.start_ns = i});
    writer.set_tags("title=" + std::to_string(i));
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan, 0, kWatchdogMs), WriteStatus::ok);
    ASSERT_EQ(writer.publish(std::move(loan), {.offset = static_cast<std::uint64_t>(i)}), WriteStatus::ok);
    Frame frame;
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame) << reader.error();
    EXPECT_EQ(frame.sequence(), static_cast<std::uint64_t>(i));
    EXPECT_EQ(frame.missed_before(), 0U);
    EXPECT_EQ(frame.info().flags & reel::kDiscont, 0U);
    EXPECT_EQ(frame.format(), writer.format());
    ASSERT_NE(frame.segment(), nullptr);
    EXPECT_EQ(frame.segment()->start_ns, i);
    ASSERT_NE(frame.tags(), nullptr);
    EXPECT_EQ(*frame.tags(), "title=" + std::to_string(i));
  }
  EXPECT_GT(writer.stats().epochs, 1U);
  EXPECT_EQ(reader.stats().connects, 1U);
}

TEST_F(Writer, RefusesRecordsBeyondTheirBoundsWheneverTheyAreSet) {
  FrameWriter writer(stream());
  for (const bool with_memory : {false, true}) {
    if (with_memory) writer.set_format(reel::Format());
    expect_error(ErrorCode::bad_argument, {"tags", "5000", "4064"},
                 [&] { writer.set_tags(std::string(5000, 'x')); });
    expect_error(ErrorCode::bad_argument, {"rate"}, [&] { writer.set_segment({.rate = 0}); });
    EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << "goes on without: " << writer.error();
  }
}

TEST_F(Writer, PassesSideDataOnUpToItsBound) {
  FrameWriter writer(stream(), reel::Format(), {.side_data_bytes = 128});
  FrameReader reader(stream());
  std::array<std::byte, 512> place{};
  reel::SideDataWriter side(place);
  ASSERT_TRUE(side.add_motion("m", {.score = 0.5F}));
  ASSERT_TRUE(side.add_json("j", "{\"a\":1}"));
  ASSERT_EQ(writer.write(bytes(10, 1), {}, side.view()), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  ASSERT_TRUE(frame.side_data().motion());
  EXPECT_FLOAT_EQ(frame.side_data().motion()->score, 0.5F);
  ASSERT_TRUE(side.add_bytes("b", bytes(100, 2)));
  EXPECT_EQ(writer.write(bytes(10, 1), {}, side.view()), WriteStatus::too_large);
  EXPECT_THAT(writer.error(), HasSubstr("128"));
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << "the slot came back";
}

TEST_F(Writer, TellsGapsAndEventsInOrderWithMedia) {
  FrameWriter writer(stream(), nv12(16, 16));
  FrameReader reader(stream());
  ASSERT_EQ(writer.write_gap(100, 20), WriteStatus::ok) << writer.error();
  ASSERT_EQ(writer.write_event("custom, a=1", 120), WriteStatus::ok) << writer.error();
  ASSERT_EQ(writer.write(bytes(384, 1)), WriteStatus::ok) << writer.error();
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.info().kind, reel::FrameKind::gap);
  EXPECT_EQ(frame.info().pts_ns, 100);
  EXPECT_EQ(frame.info().duration_ns, 20);
  EXPECT_TRUE(frame.data().empty());
  EXPECT_EQ(frame.plane_count(), 0U);
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.info().kind, reel::FrameKind::event);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(frame.data().data()), frame.data().size()),
            "custom, a=1");
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.info().kind, reel::FrameKind::media);
  EXPECT_EQ(frame.plane_count(), 2U);
}

TEST_F(Writer, WaitsForNamedReadersAndStartsWithoutThemInTheEnd) {
  FrameWriter writer(stream(), reel::Format(), {.wait_for = {"never"}, .start_timeout_ms = 20});
  EXPECT_TRUE(writer.started_without().empty());
  EXPECT_FALSE(writer.wait_for_readers());
  EXPECT_EQ(writer.started_without(), std::vector<std::string>{"never"});
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
}

TEST_F(Writer, RefusesToWaitForMoreReadersThanAStreamHas) {
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) names.push_back("eye" + std::to_string(i));
  EXPECT_NO_THROW(FrameWriter(stream(), {.wait_for = names}));
  names.emplace_back("ear");
  expect_error(ErrorCode::bad_argument, {"wait_for names 65 readers", "64 at most"},
               [&] { FrameWriter(stream(), {.wait_for = names}); });
}

TEST_F(Writer, WaitsForNoReaderThatWillNotCome) {
  std::atomic<std::uint64_t> ended{0b01};
  FrameWriter writer(
      stream(), reel::Format(),
      {.wait_for = {"gone", "late", "here"}, .ended_readers = &ended, .start_timeout_ms = 10 * kWatchdogMs});
  std::atomic<bool> all{false};
  std::thread waiting([&] { all = writer.wait_for_readers(); });
  FrameReader reader(stream(), {.name = "here"});
  Frame frame;
  EXPECT_EQ(reader.read(frame, 50), ReadStatus::empty);
  EXPECT_FALSE(all) << "the second may still come";
  ended.fetch_or(0b10);
  waiting.join();
  EXPECT_TRUE(all);
}

TEST_F(Writer, PublishesItsFirstFrameWhenTheNamedReadersAreThere) {
  FrameWriter writer(stream(), reel::Format(), {.wait_for = {"app/in"}, .start_timeout_ms = kWatchdogMs});
  std::thread writing([&] { EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok); });
  FrameReader reader(stream(), {.name = "app/in"});
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  writing.join();
  EXPECT_EQ(frame.sequence(), 1U);
}

TEST_F(Writer, HearsARequestForAKeyFrameOnce) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream());
  EXPECT_FALSE(writer.take_key_frame_request());
  EXPECT_TRUE(reader.request_key_frame());
  EXPECT_TRUE(wait_until([&] { return writer.take_key_frame_request(); }));
  EXPECT_FALSE(writer.take_key_frame_request());
  EXPECT_FALSE(FrameReader(reel_test::unique_name("none")).request_key_frame()) << "no writer";
}

TEST_F(Writer, DrainsWithoutReadersAndWithOneThatReadsOn) {
  FrameWriter writer(stream(), reel::Format());
  EXPECT_TRUE(writer.drain(0));
  FrameReader reader(stream(), {.policy = Policy::lossless});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  writer.end();
  EXPECT_FALSE(writer.drain(10));
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_TRUE(writer.drain(kWatchdogMs));
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::ended);
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::ended) << "and stays so";
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::bad_argument);
  EXPECT_THAT(writer.error(), HasSubstr("ended"));
}

TEST_F(Writer, PublishesNothingAfterAnEndThatCameBeforeAnyFormat) {
  FrameWriter writer(stream());
  writer.end();
  EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::bad_argument);
}

TEST_F(Writer, CountsWhatItDidAndKnowsItsReaders) {
  FrameWriter writer(stream(), reel::Format());
  FrameReader reader(stream(), {.name = "app/x", .policy = Policy::lossless, .max_pins = 3});
  for (int i = 0; i < 3; ++i) ASSERT_EQ(writer.write(bytes(100, i)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  const reel::WriterStats stats = writer.stats();
  EXPECT_EQ(stats.published, 3U);
  EXPECT_EQ(stats.bytes, 300U);
  EXPECT_EQ(stats.copied, 3U);
  EXPECT_EQ(stats.epochs, 1U);
  EXPECT_EQ(stats.waits + stats.demoted + stats.refused, 0U);
  const auto readers = writer.readers();
  ASSERT_EQ(readers.size(), 1U);
  EXPECT_EQ(readers[0].name, "app/x");
  EXPECT_EQ(readers[0].policy, Policy::lossless);
  EXPECT_EQ(readers[0].cursor, 2U);
  EXPECT_EQ(readers[0].pinned, 1U);
  EXPECT_EQ(readers[0].max_pins, 3U);
  EXPECT_EQ(readers[0].delivered, 1U);
  EXPECT_EQ(readers[0].verified, 1U);
}

TEST_F(Writer, KeepsItsNameWhenItsLockFileIsRemoved) {
  FrameWriter writer(stream(), reel::Format());
  const std::string lock = runtime_dir().path() + "/" + stream() + ".lock";
  ASSERT_EQ(::unlink(lock.c_str()), 0);
  expect_error(ErrorCode::in_use, {"process " + std::to_string(::getpid()), "was removed"},
               [&] { FrameWriter second(stream(), reel::Format()); });
  EXPECT_TRUE(reel::sweep_runtime_dir(runtime_dir().path()).empty());
  EXPECT_NE(::access(lock.c_str(), F_OK), 0) << "who was refused leaves nothing behind";
  FrameReader reader(stream());
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
}

TEST_F(Writer, LeavesALockThatIsNotItsOwnAlone) {
  const std::string lock = runtime_dir().path() + "/" + stream() + ".lock";
  {
    FrameWriter writer(stream(), reel::Format());
    ASSERT_EQ(::unlink(lock.c_str()), 0);
    const reel::UniqueFd others(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(others);
  }
  EXPECT_EQ(::unlink(lock.c_str()), 0) << "it is there";
}

TEST_F(Writer, WaitsForWhoeverOnlyTidiesUpAfterADeadOne) {
  const std::string path = runtime_dir().path() + "/" + stream() + ".lock";
  reel::UniqueFd sweeping(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(sweeping.get(), LOCK_EX | LOCK_NB), 0);
  std::thread sweeper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::unlink(path.c_str());
    sweeping.reset();
  });
  EXPECT_NO_THROW(FrameWriter(stream(), reel::Format()));
  sweeper.join();
}

}  // namespace
