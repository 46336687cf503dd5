#include "run_fixture.hpp"

#include <algorithm>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/base/error.hpp>
#include <reel/stage/run.hpp>

namespace reel {
namespace {

using testing::StartsWith;

void write(FrameWriter& writer, int frames) {
  const std::byte byte{7};
  for (int i = 0; i < frames; ++i) ASSERT_EQ(writer.write({&byte, 1}), WriteStatus::ok) << writer.error();
}

TEST_F(RunStage, ReadsAllInputsToTheirEnds) {
  start();
  std::thread inputs([&] {
    FrameWriter a = writer(0), b = writer(1);
    write(a, 20);
    write(b, 30);
    a.end();
    write(b, 5);
    b.end();
    EXPECT_TRUE(a.drain(60'000) && b.drain(60'000));
  });
  const std::string told = read_all();
  inputs.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\0'), 20);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\1'), 35);
  EXPECT_EQ(std::count(told.begin(), told.end(), 'e'), 2);
  EXPECT_EQ(told.back(), 's');
  EXPECT_EQ(state(), StageState::finished);
  EXPECT_EQ(mapping_.page().inputs[0].frames.load(), 20u);
  EXPECT_EQ(mapping_.page().inputs[1].frames.load(), 35u);
  EXPECT_EQ(mapping_.page().outputs[0].frames.load(), told.size());
}

TEST_F(RunStage, EndsAnInputWhoseWriterIsGoneForGood) {
  mapping_.page().ended_inputs.store(0b10);  // as for a stage that is started again after its end
  start();
  std::thread inputs([&] {
    FrameWriter a = writer(0);
    write(a, 5);
    a.end();
    EXPECT_TRUE(a.drain(60'000));
  });
  const std::string told = read_all();
  inputs.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\0'), 5);
  EXPECT_EQ(std::count(told.begin(), told.end(), 'e'), 2);
  EXPECT_EQ(state(), StageState::finished);
}

TEST_F(RunStage, StartsAndEndsWithoutAReaderThatWillNotCome) {
  setup_.outputs[0].writer.start_timeout_ms = 3'600'000;
  mapping_.page().outputs[0].ended_readers.store(0b1);
  mapping_.page().ended_inputs.store(0b10);
  start();
  FrameWriter a = writer(0);
  write(a, 5);
  a.end();
  EXPECT_TRUE(reel_test::wait_until([&] { return state() == StageState::finished; }));
  EXPECT_EQ(mapping_.page().inputs[0].frames.load(), 5u);
}

TEST_F(RunStage, ReadsWhatAWriterThatIsGoneForGoodHasLeft) {
  start();
  std::thread inputs([&] {
    {
      FrameWriter a = writer(0);
      write(a, 5);
    }  // without an end
    FrameWriter b = writer(1);
    write(b, 7);
    EXPECT_TRUE(reel_test::wait_until([&] { return mapping_.page().inputs[1].frames.load() == 7; }));
    mapping_.page().ended_inputs.fetch_or(0b01);
    b.end();
    EXPECT_TRUE(b.drain(60'000));
  });
  const std::string told = read_all();
  inputs.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\0'), 5);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\1'), 7);
  EXPECT_EQ(std::count(told.begin(), told.end(), 'e'), 2);
}

TEST_F(RunStage, GivesGapsAndEventsToOther) {
  setup_.inputs.pop_back();
  start();
  std::thread inputs([&] {
    FrameWriter a = writer(0);
    write(a, 1);
    EXPECT_EQ(a.write_gap(0, 10), WriteStatus::ok) << a.error();
    EXPECT_EQ(a.write_event("lights out"), WriteStatus::ok) << a.error();
    write(a, 1);
    a.end();
    EXPECT_TRUE(a.drain(60'000));
  });
  EXPECT_EQ(read_all(), std::string("\0oo\0es", 6));
  inputs.join();
  join();
  EXPECT_EQ(mapping_.page().inputs[0].frames.load(), 2u) << "frames are media";
}

TEST_F(RunStage, EndsWhenTheStageSaysItHasDoneItsWork) {
  option("finish_after", "3");
  start();
  FrameWriter a = writer(0), b = writer(1);
  std::thread inputs([&] { write(a, 3); });
  EXPECT_EQ(read_all(), std::string("\0\0\0s", 4));
  inputs.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
  EXPECT_EQ(state(), StageState::finished);
}

TEST_F(RunStage, EndsItsOutputsWhenItIsStopped) {
  start();
  FrameWriter a = writer(0);
  std::thread inputs([&] { write(a, 4); });
  std::thread stopper([&] {
    EXPECT_TRUE(reel_test::wait_until([&] { return mapping_.page().inputs[0].frames.load() == 4; }));
    stop_.stop();
  });
  EXPECT_THAT(read_all(), StartsWith(std::string("\0\0\0", 3)));
  inputs.join();
  stopper.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
  EXPECT_EQ(state(), StageState::finished);
}

TEST_F(RunStage, CountsOnOverItsLives) {
  setup_.inputs.pop_back();
  for (std::uint64_t life = 1; life <= 2; ++life) {
    start();
    std::thread inputs([&] {
      FrameWriter a = writer(0);
      write(a, 10);
      a.end();
      EXPECT_TRUE(a.drain(60'000));
    });
    (void)read_all();
    inputs.join();
    join();
    ASSERT_FALSE(failure_) << failure_->what();
    EXPECT_EQ(mapping_.page().inputs[0].frames.load(), 10 * life);
    EXPECT_EQ(mapping_.page().inputs[0].verified.load(), 10 * life);
    EXPECT_EQ(mapping_.page().inputs[0].connects.load(), life);
    EXPECT_EQ(mapping_.page().outputs[0].frames.load(), 12 * life);
  }
}

TEST_F(RunStage, FailsNamingTheStageWhenItsPluginMisusesItsPorts) {
  option("wrong_format", "true");
  reel_test::expect_error(ErrorCode::plugin, {"collector: ", "output \"out\"", "opaque bytes", "audio/x-raw"},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
  EXPECT_EQ(state(), StageState::failed);
  setup_.options.clear();
  option("unconnected", "true");
  reel_test::expect_error(ErrorCode::bad_config, {"output \"spare\" of test.collector is not connected"},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
}

TEST_F(RunStage, TakesARefusalForABadConfigurationUnlessItWasLetInBefore) {
  WriterOptions options;
  options.allowed_policies = {Policy::queue};
  FrameWriter a(setup_.inputs[0].stream, options);
  a.set_format(Format{});
  reel_test::expect_error(ErrorCode::bad_config, {"collector: ", "lossless"},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
  mapping_.page().inputs[0].connects.store(1);
  reel_test::expect_error(ErrorCode::refused, {"collector: ", "lossless"},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
}

TEST_F(RunStage, FailsWhenAnInputCannotBeRead) {
  setup_.inputs[0].reader.reconnect = false;
  reel_test::expect_error(ErrorCode::not_found, {"collector: ", setup_.inputs[0].stream},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
}

}  // namespace
}  // namespace reel
