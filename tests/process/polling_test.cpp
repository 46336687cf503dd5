// A reader in a foreign event loop: one descriptor for its whole life, whatever becomes of its writers.
#include "stream_roles.hpp"

#include <csignal>

#include <poll.h>
#include <sys/epoll.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

using reel::ReadStatus;
using reel_test::ChildProcess;
using stream_test::ask;
using stream_test::count_of;
using stream_test::start_writer;

class Polling : public stream_test::StreamTest {
 protected:
  /// Reads `count` frames as an event loop does: only when the descriptor says so. Returns how many came.
  static int read_by_polling(reel::FrameReader& reader, int count) {
    int frames = 0;
    reel::Frame frame;
    const auto deadline = std::chrono::steady_clock::now() + reel_test::kWatchdog;
    while (frames < count && std::chrono::steady_clock::now() < deadline) {
      while (reader.try_read(frame) == ReadStatus::frame) {
        EXPECT_TRUE(stream_test::pattern_holds(frame.data(), frame.info().offset));
        if (++frames == count) return frames;
      }
      if (!reader.prepare_wait()) continue;
      pollfd waiting{reader.fd(), POLLIN, 0};
      ::poll(&waiting, 1, 60'000);
    }
    return frames;
  }
};

TEST_F(Polling, TheDescriptorStaysTheSameOverFiveWritersLives) {
  reel::FrameReader reader(stream());  // before any writer
  const int fd = reader.fd();
  ASSERT_GE(fd, 0);
  for (int life = 1; life <= 5; ++life) {
    ChildProcess writer = start_writer(stream());
    reel::Frame none;
    ASSERT_TRUE(reel_test::wait_until(
        [&] { return reader.try_read(none) == ReadStatus::empty && reader.connected(); }));
    ASSERT_TRUE(writer.send("write 20 3000"));
    EXPECT_EQ(read_by_polling(reader, 20), 20) << life << " " << reader.error();
    EXPECT_EQ(reader.fd(), fd);
    if (life % 2 == 0) {
      writer.close_input();
      EXPECT_TRUE(writer.wait().ok());
    } else {
      writer.signal(SIGKILL);
      (void)writer.wait();
    }
    reel::Frame frame;
    EXPECT_TRUE(reel_test::wait_until(
        [&] { return reader.try_read(frame) == ReadStatus::empty && !reader.connected(); }));
  }
  EXPECT_EQ(reader.stats().connects, 5U);
  EXPECT_EQ(reader.stats().delivered, 100U);
  (void)reel::sweep_runtime_dir(runtime_dir().path());
}

TEST_F(Polling, ADeathWakesTheLoop) {
  ChildProcess writer = start_writer(stream());
  reel::FrameReader reader(stream(), {.reconnect = false});
  reel::Frame frame;
  ASSERT_EQ(reader.try_read(frame), ReadStatus::empty);
  ASSERT_TRUE(reader.prepare_wait());
  writer.signal(SIGKILL);
  pollfd waiting{reader.fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 60'000), 1);
  EXPECT_EQ(reader.try_read(frame), ReadStatus::closed);
  (void)writer.wait();
  (void)reel::sweep_runtime_dir(runtime_dir().path());
}

TEST_F(Polling, AnEndWakesTheLoop) {
  ChildProcess writer = start_writer(stream());
  reel::FrameReader reader(stream());
  reel::Frame frame;
  ASSERT_TRUE(reader.prepare_wait());
  ASSERT_EQ(ask(writer, "end", "ended"), "ended");
  pollfd waiting{reader.fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 60'000), 1);
  EXPECT_EQ(reader.try_read(frame), ReadStatus::ended);
  EXPECT_FALSE(reader.prepare_wait()) << "there is something to tell";
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_F(Polling, AFrameThatIsThereAlreadyNeedsNoWait) {
  ChildProcess writer = start_writer(stream());
  reel::FrameReader reader(stream());
  ASSERT_EQ(count_of(ask(writer, "write 1", "wrote")), 1U);
  EXPECT_FALSE(reader.prepare_wait());
  reel::Frame frame;
  EXPECT_EQ(reader.try_read(frame), ReadStatus::frame);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_F(Polling, SeveralReadersAreWaitedForTogether) {
  const std::string second_stream = stream() + "b";
  ChildProcess first = start_writer(stream());
  ChildProcess second = start_writer(second_stream);
  reel::FrameReader readers[] = {reel::FrameReader(stream()), reel::FrameReader(second_stream)};
  ASSERT_TRUE(first.send("write 30 2000"));
  ASSERT_TRUE(second.send("write 30 3000"));
  int frames = 0;
  reel::Frame frame;
  while (frames < 60) {
    bool wait = true;
    for (reel::FrameReader& reader : readers) {
      while (reader.try_read(frame) == ReadStatus::frame) ++frames;
      frame.release();
    }
    for (reel::FrameReader& reader : readers) wait = reader.prepare_wait() && wait;
    if (!wait || frames == 60) continue;
    pollfd waiting[] = {{readers[0].fd(), POLLIN, 0}, {readers[1].fd(), POLLIN, 0}};
    ASSERT_GE(::poll(waiting, 2, 60'000), 1) << frames;
  }
  EXPECT_EQ(frames, 60);
  for (ChildProcess* child : {&first, &second}) {
    child->close_input();
    EXPECT_TRUE(child->wait().ok());
  }
}

}  // namespace
