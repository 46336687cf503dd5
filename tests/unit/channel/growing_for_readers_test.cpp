// Readers for whom a stream has too few slots, where its writer is willing to make more.
#include "channel_fixture.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::ReadStatus;
using reel::WriteStatus;

class GrowingForReaders : public channel_test::ChannelTest {};

// Opening waits for the writer's answer, which comes with its next frame.
std::unique_ptr<FrameReader> open_beside(FrameWriter& writer, const std::string& stream, std::uint32_t pins) {
  std::unique_ptr<FrameReader> reader;
  std::atomic<bool> done{false};
  std::thread opening([&] {
    reader = std::make_unique<FrameReader>(
        stream, reel::ReaderOptions{.policy = reel::Policy::lossless, .max_pins = pins});
    done = true;
  });
  EXPECT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(writer.write(bytes(10, 1), {}, {}, 100), WriteStatus::ok) << writer.error();
    return done.load() && !writer.readers().empty();
  }));
  opening.join();
  return reader;
}

TEST_F(GrowingForReaders, LetsInAReaderThatNeedsMoreSlotsWithTheNextFrame) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .grow_for_readers = true});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  const auto reader = open_beside(writer, stream(), 20);
  EXPECT_EQ(writer.stats().epochs, 2U);
  EXPECT_EQ(writer.stats().refused, 0U);
  std::vector<Frame> held(19);
  for (Frame& frame : held) {
    ASSERT_EQ(writer.write(bytes(10, 2), {}, {}, 0), WriteStatus::ok) << writer.error();
    ASSERT_EQ(reader->read(frame, kWatchdogMs), ReadStatus::frame);
  }
}

// A stream may be slow, its program paused: that is no writer that does not answer.
TEST_F(GrowingForReaders, OneThatWaitsForTheNextFrameKnowsItAndIsNotRefusedWithoutReconnect) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .grow_for_readers = true});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  FrameReader reader(stream(), {.max_pins = 20, .reconnect = false, .connect_timeout_ms = 0});
  Frame frame;
  ASSERT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(reader.read(frame, 10), ReadStatus::empty) << reader.error();
    return reader.parked();
  }));
  EXPECT_FALSE(reader.connected());
  EXPECT_TRUE(reader.prepare_wait()) << "nothing to read: it would be asked again at once";
  ASSERT_EQ(writer.write(bytes(10, 2)), WriteStatus::ok);
  ASSERT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(writer.write(bytes(10, 3)), WriteStatus::ok);
    return reader.read(frame, 10) == ReadStatus::frame;
  })) << reader.error();
  EXPECT_FALSE(reader.parked());
  EXPECT_TRUE(reader.connected());
}

TEST_F(GrowingForReaders, OneThatWaitsSeesItsWriterGo) {
  auto writer = std::make_unique<FrameWriter>(stream(), reel::Format(),
                                              reel::WriterOptions{.slots = 4, .grow_for_readers = true});
  ASSERT_EQ(writer->write(bytes(10, 1)), WriteStatus::ok);
  FrameReader reader(stream(), {.max_pins = 20, .reconnect = false, .connect_timeout_ms = 0});
  Frame frame;
  ASSERT_TRUE(reel_test::wait_until([&] { return (void)reader.read(frame, 10), reader.parked(); }));
  writer.reset();
  EXPECT_TRUE(reel_test::wait_until([&] { return reader.read(frame, 10) == ReadStatus::closed; }));
  EXPECT_FALSE(reader.parked());
}

TEST_F(GrowingForReaders, RefusesOneThatMaxBytesHasNoRoomForAndSaysSo) {
  FrameWriter writer(stream(), reel::Format(),
                     {.slots = 4, .slot_bytes = 1 << 20, .max_bytes = 6 << 20, .grow_for_readers = true});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  std::string why;
  std::atomic<bool> done{false};
  std::thread opening([&] {
    try {
      FrameReader reader(stream(), {.max_pins = 20});
    } catch (const reel::Error& error) {
      why = error.what();
    }
    done = true;
  });
  EXPECT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << writer.error();
    return done.load();
  }));
  opening.join();
  EXPECT_THAT(why, ::testing::HasSubstr("max_bytes"));
}

TEST_F(GrowingForReaders, CountsThoseThatWaitTogether) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .grow_for_readers = true});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  std::atomic<int> done{0};
  std::vector<std::thread> opening;
  std::atomic<bool> end{false};
  for (int i = 0; i < 4; ++i)
    opening.emplace_back([&] {
      FrameReader reader(stream(), {.max_pins = 8});
      ++done;
      EXPECT_TRUE(reel_test::wait_until([&] { return end.load(); }));
    });
  EXPECT_TRUE(reel_test::wait_until([&] {
    EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << writer.error();
    return writer.readers().size() == 4;
  }));
  end = true;
  for (std::thread& one : opening) one.join();
  EXPECT_EQ(done, 4);
}

// The writer lets some in while the service thread hears of the next: neither may wait for the other.
TEST_F(GrowingForReaders, AreLetInWhileOthersCome) {
  for (int round = 0; round < 40; ++round) {
    const std::string name = stream() + "." + std::to_string(round);
    FrameWriter writer(name, reel::Format(), {.slots = 4, .grow_for_readers = true});
    ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
    std::atomic<bool> end{false};
    std::vector<std::jthread> opening;
    for (std::uint32_t i = 0; i < 12; ++i)
      opening.emplace_back([&, i] {
        const FrameReader reader(name, {.max_pins = 4 + i});
        EXPECT_TRUE(reel_test::wait_until([&] { return end.load(); }));
      });
    EXPECT_TRUE(reel_test::wait_until([&] {
      EXPECT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok) << writer.error();
      return writer.readers().size() == opening.size();
    }));
    end = true;
  }
}

TEST_F(GrowingForReaders, WorksWhileTheWriterWaitsForThem) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .grow_for_readers = true});
  reel::Loan open_it;
  ASSERT_EQ(writer.acquire(open_it, 10), WriteStatus::ok);
  std::atomic<bool> end{false};
  std::thread opening([&] {
    FrameReader reader(stream(), {.max_pins = 30});
    EXPECT_TRUE(reel_test::wait_until([&] { return end.load(); }));
  });
  std::mutex mutex;
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(writer.wait_for_readers(1, reel::SharedWait{lock, [] { return false; }}));
  }
  end = true;
  opening.join();
}

TEST_F(GrowingForReaders, AreToldOfByTheirWriter) {
  std::mutex mutex;
  std::vector<std::string> heard;
  reel::WriterOptions options;
  options.on_reader = [&](const reel::ReaderChange& change) {
    const std::lock_guard lock(mutex);
    heard.push_back((change.joined ? "+" : "-") + change.name + " " +
                    std::to_string(change.pid == ::getpid()));
  };
  FrameWriter writer(stream(), reel::Format(), options);
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  { const FrameReader reader(stream(), {.name = "eye"}); }
  EXPECT_TRUE(reel_test::wait_until([&] {
    const std::lock_guard lock(mutex);
    return heard.size() == 2;
  }));
  EXPECT_THAT(heard, ::testing::ElementsAre("+eye 1", "-eye 1"));
}

}  // namespace
