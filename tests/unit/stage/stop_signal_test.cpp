#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

#include <reel/stage/stop_signal.hpp>

namespace reel {
namespace {

bool readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

TEST(StopSignal, GoesFromRunningOverDrainingToStopped) {
  StopSignal stop;
  EXPECT_FALSE(stop.draining());
  stop.drain();
  EXPECT_TRUE(stop.draining());
  EXPECT_FALSE(stop.stopped());
  EXPECT_FALSE(readable(stop.fd()));
  stop.stop();
  EXPECT_TRUE(stop.stopped());
  EXPECT_TRUE(readable(stop.fd()));
  stop.drain();
  EXPECT_TRUE(stop.stopped()) << "a later drain does not take a stop back";
}

TEST(StopSignal, CallsAnInterruptOnceWhenItDrainsAndOnceWhenItStops) {
  StopSignal stop;
  int calls = 0;
  const StopSignal::Interrupt interrupt(stop, [&] { ++calls; });
  EXPECT_EQ(calls, 0);
  stop.drain();
  stop.drain();
  EXPECT_EQ(calls, 1);
  stop.stop();
  stop.stop();
  stop.drain();
  EXPECT_EQ(calls, 2);
}

TEST(StopSignal, CallsAnInterruptAtOnceWhenItDrainsAlready) {
  for (const auto end : {&StopSignal::drain, &StopSignal::stop}) {
    StopSignal stop;
    (stop.*end)();
    int calls = 0;
    const StopSignal::Interrupt interrupt(stop, [&] { ++calls; });
    EXPECT_EQ(calls, 1);
  }
}

TEST(StopSignal, ForgetsAnInterruptThatIsGone) {
  StopSignal stop;
  int calls = 0;
  {
    const StopSignal::Interrupt interrupt(stop, [&] { ++calls; });
  }
  stop.stop();
  EXPECT_EQ(calls, 0);
}

TEST(StopSignal, WakesAThreadThatPolls) {
  StopSignal stop;
  std::thread waiting([&] {
    pollfd polled{stop.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&polled, 1, -1), 1);
  });
  stop.stop();
  waiting.join();
}

}  // namespace
}  // namespace reel
