// `every` and `max_fps` at the inputs of a running stage.
#include "run_fixture.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/wait_until.hpp>

namespace reel {
namespace {

class InputChoice : public RunStage {
 protected:
  InputChoice() { setup_.inputs.pop_back(); }

  // What the collector tells of `frames` frames at 30 fps.
  std::string told_of(int frames) {
    start();
    std::thread inputs([&] {
      FrameWriter a = writer(0);
      for (int i = 0; i < frames; ++i) {
        const std::byte byte{7};
        FrameInfo info;
        info.pts_ns = i * std::int64_t{1'000'000'000} / 30;
        ASSERT_EQ(a.write({&byte, 1}, info), WriteStatus::ok) << a.error();
      }
      EXPECT_EQ(a.write_event("lights out"), WriteStatus::ok);
      a.end();
      EXPECT_TRUE(a.drain(60'000));
    });
    const std::string told = read_all();
    inputs.join();
    join();
    EXPECT_FALSE(failure_) << failure_->what();
    return told;
  }
};

TEST_F(InputChoice, OfEveryNthPassesTheOthersOverUnverifiedAndCountsThem) {
  setup_.inputs[0].choice.every = 4;
  EXPECT_EQ(told_of(10), std::string("\0\0\0oes", 6)) << "events come all the same";
  const InputCounters& counters = mapping_.page().inputs[0];
  EXPECT_EQ(counters.frames.load(), 3u);
  EXPECT_EQ(counters.skipped.load(), 7u);
  EXPECT_EQ(counters.verified.load(), 4u) << "the event is verified too";
  EXPECT_EQ(counters.lapped.load(), 0u);
}

TEST_F(InputChoice, OfARateGoesByTheFramesTimes) {
  setup_.inputs[0].choice.max_fps = 10;
  EXPECT_EQ(told_of(31), std::string(11, '\0') + "oes");
  EXPECT_EQ(mapping_.page().inputs[0].skipped.load(), 20u);
}

// What has nothing left to take is not behind, though the frame that it took last is an older one.
TEST_F(InputChoice, CountsAFrameThatIsPassedOverAsSeen) {
  setup_.inputs[0].choice.every = 4;
  start();
  FrameWriter a = writer(0);
  for (int i = 0; i < 8; ++i) {
    const std::byte byte{7};
    ASSERT_EQ(a.write({&byte, 1}, FrameInfo{}), WriteStatus::ok) << a.error();
  }
  const InputCounters& counters = mapping_.page().inputs[0];
  EXPECT_TRUE(reel_test::wait_until([&] { return counters.newest.load() == 8; })) << counters.newest.load();
  EXPECT_EQ(counters.frames.load(), 2u);
}

TEST_F(InputChoice, OfAudioIsRefused) {
  setup_.inputs[0].choice.every = 2;
  WriterOptions options;
  FrameWriter a(setup_.inputs[0].stream, Format(AudioFormat{SampleFormat::S16LE, 48000, 1}), options);
  std::thread inputs([&] {
    const std::array<std::byte, 4> samples{};
    (void)a.wait_for_readers();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(a.write(samples), WriteStatus::ok) << a.error();
  });
  setup_.inputs[0].reader.start = Start::oldest;
  reel_test::expect_error(
      ErrorCode::bad_config,
      {"collector: ", "'every', 'max_fps' or 'join'", setup_.inputs[0].stream, "audio/x-raw"},
      [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
  inputs.join();
}

}  // namespace
}  // namespace reel
