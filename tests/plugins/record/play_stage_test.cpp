// Stage `playback` on streams that the test reads.
#include "made_recording.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/base/clock.hpp>
#include <reel/channel/frame_reader.hpp>

using reel_test::made_pictures;
using reel_test::made_sound;
using reel_test::MadeFrame;
using reel_test::MadeStream;

namespace {

using Texts = std::map<std::string, std::string>;

class PlaybackStage : public testing::Test {
 protected:
  void SetUp() override {
    streams_ = {made_pictures("front", reel::PixelFormat::NV12, 50), made_sound("microphone", 100)};
    reel_test::make_recording(scratch_.path(), "door", streams_, {1'000'000'000});
  }

  void start(Texts options, const std::vector<std::string>& outputs) {
    reel::StageSetup setup;
    setup.name = "playback";
    setup.plugin = "playback";
    setup.base_directory = scratch_.path();
    options.emplace("path", scratch_.path());
    setup.options = reel_test::options(options);
    for (const std::string& stream : outputs) {
      reel::WriterOptions writer;
      writer.wait_for = {"test"};
      setup.outputs.push_back({"out", stream, writer});
    }
    stage_.emplace(setup);
    reel::ReaderOptions reader;
    reader.name = "test";
    reader.policy = reel::Policy::lossless;
    for (const std::string& stream : outputs) readers_.emplace_back(stream, reader);
  }

  /// All that comes, of each output in a thread of its own.
  struct Came {
    reel::FrameInfo info;
    std::int64_t publish_ns = 0;
    std::vector<std::byte> bytes, side_data;
    std::string caps;
  };
  std::vector<std::vector<Came>> read_all() {
    std::vector<std::vector<Came>> came(readers_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < readers_.size(); ++i)
      threads.emplace_back([this, i, &came] {
        reel::Frame frame;
        while (readers_[i].read(frame, 60'000) == reel::ReadStatus::frame) {
          const auto side = frame.side_data().bytes();
          came[i].push_back({frame.info(),
                             frame.publish_ns(),
                             {frame.data().begin(), frame.data().end()},
                             {side.begin(), side.end()},
                             frame.format().caps()});
        }
      });
    for (std::thread& thread : threads) thread.join();
    return came;
  }

  static void expect_same(const std::vector<Came>& came, const MadeStream& made) {
    ASSERT_EQ(came.size(), made.frames.size());
    for (std::size_t i = 0; i < came.size() && !HasFailure(); ++i) {
      const MadeFrame& frame = made.frames[i];
      EXPECT_EQ(came[i].info.pts_ns, frame.info.pts_ns);
      EXPECT_EQ(came[i].info.duration_ns, frame.info.duration_ns);
      EXPECT_EQ(came[i].info.capture_ns, frame.info.capture_ns);
      EXPECT_EQ(came[i].info.flags, frame.info.flags);
      EXPECT_EQ(came[i].caps, made.format.caps());
      EXPECT_EQ(came[i].side_data, frame.side_data);
      EXPECT_TRUE(came[i].bytes == frame.bytes) << "frame " << i;
    }
  }

  /// Waits for its end; what it threw.
  void join() { stage_->join(); }

  reel_test::TempRuntimeDir runtime_;
  reel_test::ScratchDir scratch_;
  std::vector<MadeStream> streams_;
  std::optional<reel_test::RunningStage> stage_;
  std::vector<reel::FrameReader> readers_;
};

TEST_F(PlaybackStage, PublishesEachFrameOnceAsItWas) {
  start({{"speed", "0"}}, {"front", "microphone"});
  const auto came = read_all();
  join();
  expect_same(came[0], streams_[0]);
  expect_same(came[1], streams_[1]);
}

TEST_F(PlaybackStage, GivesStreamsOtherNames) {
  start({{"speed", "0"}, {"streams", "microphone,front"}}, {"sound", "picture"});
  const auto came = read_all();
  join();
  expect_same(came[0], streams_[1]);
  expect_same(came[1], streams_[0]);
}

TEST_F(PlaybackStage, TakesTheTimeThatItTookDividedByTheSpeed) {
  const std::int64_t begin_ns = reel::monotonic_ns();
  start({{"speed", "4"}}, {"front"});
  const auto came = read_all();
  join();
  expect_same(came[0], streams_[0]);
  for (std::size_t i = 0; i < came[0].size(); ++i) {
    const std::int64_t due_ns = (streams_[0].frames[i].media_ns - streams_[0].frames[0].media_ns) / 4;
    EXPECT_GE(came[0][i].publish_ns - begin_ns, due_ns) << "frame " << i;
  }
}

TEST_F(PlaybackStage, GivesOneFrameForEachLineOfItsPipe) {
  const std::string pipe = scratch_.file("steps");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  start({{"steps", pipe}, {"to", "+200ms"}}, {"front"});
  reel::Frame frame;
  EXPECT_EQ(to_string(readers_[0].read(frame, 300)), to_string(reel::ReadStatus::empty))
      << "a frame came unasked";
  const auto expect_step = [&](std::size_t number) {
    ASSERT_EQ(to_string(readers_[0].read(frame, 60'000)), to_string(reel::ReadStatus::frame));
    EXPECT_EQ(frame.info().pts_ns, streams_[0].frames[number].info.pts_ns);
    frame.release();
  };
  std::ofstream(pipe) << "\n";
  expect_step(0);
  EXPECT_EQ(to_string(readers_[0].read(frame, 300)), to_string(reel::ReadStatus::empty))
      << "two came for one line";
  std::ofstream(pipe) << "\nnext\n";
  expect_step(1);
  expect_step(2);
  std::ofstream(pipe) << "\n\n";
  expect_step(3);
  expect_step(4);
  EXPECT_EQ(to_string(readers_[0].read(frame, 60'000)), to_string(reel::ReadStatus::ended));
  join();
}

TEST_F(PlaybackStage, WaitsForReadersWhereItIsTold) {
  start({{"speed", "0"}, {"wait_for", "2"}}, {"front"});
  reel::Frame frame;
  EXPECT_EQ(to_string(readers_[0].read(frame, 500)), to_string(reel::ReadStatus::empty));
  reel::ReaderOptions second;
  second.name = "second";
  second.policy = reel::Policy::lossless;
  readers_.emplace_back("front", second);
  const auto came = read_all();
  join();
  expect_same(came[0], streams_[0]);
  expect_same(came[1], streams_[0]);
}

TEST_F(PlaybackStage, BeginsAgainWithTimesThatGoOn) {
  start({{"speed", "0"}, {"loop", "true"}}, {"front"});
  const std::vector<MadeFrame>& made = streams_[0].frames;
  reel::Frame frame;
  for (std::size_t i = 0; i < made.size() * 5 / 2 && !HasFailure(); ++i) {
    ASSERT_EQ(to_string(readers_[0].read(frame, 60'000)), to_string(reel::ReadStatus::frame));
    const MadeFrame& once = made[i % made.size()];
    const std::int64_t later_ns = static_cast<std::int64_t>(i / made.size() * made.size()) * 40'000'000;
    EXPECT_EQ(frame.info().pts_ns, once.info.pts_ns + later_ns) << "frame " << i;
    EXPECT_EQ(frame.info().capture_ns, once.info.capture_ns + later_ns);
    EXPECT_TRUE(std::equal(once.bytes.begin(), once.bytes.end(), frame.data().begin(), frame.data().end()));
    frame.release();
  }
  stage_->drain();
  while (readers_[0].read(frame, 60'000) == reel::ReadStatus::frame) frame.release();
  join();
}

TEST_F(PlaybackStage, EndsWhenItIsAskedTo) {
  start({{"speed", "0.001"}}, {"front"});
  reel::Frame frame;
  ASSERT_EQ(to_string(readers_[0].read(frame, 60'000)), to_string(reel::ReadStatus::frame));
  frame.release();
  stage_->drain();
  EXPECT_EQ(to_string(readers_[0].read(frame, 60'000)), to_string(reel::ReadStatus::ended));
  join();
}

TEST_F(PlaybackStage, SaysWhatIsWrongWithItsOptions) {
  const auto expect_refused = [this](const Texts& options, reel::ErrorCode code, const std::string& words) {
    start(options, {"front"});
    reel_test::expect_error(code, {words}, [this] { join(); });
    stage_.reset();
    readers_.clear();
  };
  using reel::ErrorCode;
  expect_refused({{"streams", "back"}}, ErrorCode::bad_config,
                 "has no stream 'back': it has front or microphone");
  expect_refused({{"streams", "front,microphone"}}, ErrorCode::bad_config, "names 2 streams for 1 outputs");
  expect_refused({{"steps", "/dev/null"}}, ErrorCode::bad_config, "no named pipe");
  expect_refused({{"steps", "/dev/null"}, {"speed", "2"}}, ErrorCode::bad_config, "exclude each other");
  expect_refused({{"from", "+1h"}}, ErrorCode::not_found, "nothing of the recording 'door' lies between");
}

}  // namespace
