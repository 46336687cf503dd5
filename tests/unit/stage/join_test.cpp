// `join` at a running stage: which frames come together, and what becomes of the others.
#include "run_fixture.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/wait_until.hpp>

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

class JoinedStage : public RunStage {
 protected:
  JoinedStage() : RunStage("test.sets") { setup_.join = JoinRule{20 * kMillisecond, JoinTime::media, 0}; }

  // Numbered by their place in `times_ms`.
  static void write(FrameWriter& writer, const std::vector<int>& times_ms, std::uint64_t first = 0) {
    const std::byte byte{7};
    for (const int time_ms : times_ms) {
      FrameInfo info;
      info.pts_ns = time_ms * kMillisecond;
      info.offset = first++;
      ASSERT_EQ(writer.write({&byte, 1}, info), WriteStatus::ok) << writer.error();
    }
  }
  static void end(FrameWriter& writer) {
    writer.end();
    (void)writer.drain(60'000);
  }

  using Play = std::function<void(FrameWriter& writer)>;
  // What the stage tells while its inputs are written so, each from a thread of its own.
  std::string told(const Play& first, const Play& second) {
    start();
    std::vector<std::thread> inputs;
    for (std::size_t i = 0; i < 2; ++i)
      inputs.emplace_back([&, i] {
        FrameWriter w = writer(i);
        (i == 0 ? first : second)(w);
      });
    std::string text = read_all();
    for (std::thread& input : inputs) input.join();
    join();
    EXPECT_FALSE(failure_) << failure_->what();
    return text;
  }
  std::string told(const std::vector<int>& first_ms, const std::vector<int>& second_ms) {
    const auto play = [](const std::vector<int>& times_ms) {
      return [&times_ms](FrameWriter& w) {
        write(w, times_ms);
        end(w);
      };
    };
    return told(play(first_ms), play(second_ms));
  }
  [[nodiscard]] const InputCounters& counters(std::size_t input) const {
    return mapping_.page().inputs[input];
  }
};

std::vector<int> times_of(int frames, double fps, int offset_ms = 0) {
  std::vector<int> times_ms;
  for (int i = 0; i < frames; ++i) times_ms.push_back(offset_ms + static_cast<int>(i * 1000 / fps));
  return times_ms;
}

// Where the other input stands still: what is held for it has been taken, what had no partner too.
TEST_F(JoinedStage, CountsWhatItHoldsAndLetsGoAsSeen) {
  start();
  FrameWriter a = writer(0), b = writer(1);
  std::thread other([&] { write(b, {100}); });
  write(a, {0, 50});
  EXPECT_TRUE(reel_test::wait_until(
      [&] { return counters(0).newest.load() == 2 && counters(1).newest.load() == 1; }));
  other.join();
  EXPECT_TRUE(reel_test::wait_until([&] { return counters(0).skipped.load() == 2; }));
  EXPECT_EQ(counters(0).frames.load(), 0u);
}

TEST_F(JoinedStage, OfTwoRatesGetsExactlyTheFramesThatBelongTogether) {
  EXPECT_EQ(told(times_of(40, 30), times_of(10, 10, 5)), "0+0 3+1 6+2 9+3 12+4 15+5 18+6 21+7 24+8 27+9 e1 ");
  EXPECT_EQ(counters(0).frames.load(), 10u);
  EXPECT_EQ(counters(1).frames.load(), 10u);
  EXPECT_GE(counters(0).skipped.load(), 18u) << "what had no partner is counted";
  EXPECT_EQ(counters(1).skipped.load(), 0u);
  EXPECT_EQ(counters(0).lapped.load() + counters(1).lapped.load(), 0u);
}

TEST_F(JoinedStage, LeavesOutWhatIsBeyondTheTolerance) {
  setup_.join->tolerance_ns = 4 * kMillisecond;
  EXPECT_THAT(told({0, 100, 200, 300, 400}, {4, 105, 200, 296, 401}),
              testing::StartsWith("0+0 2+2 3+3 4+4 e"));
  EXPECT_EQ(counters(0).skipped.load(), 1u);
  EXPECT_EQ(counters(1).skipped.load(), 1u);
}

TEST_F(JoinedStage, WaitsForALosslessInputThatComesLater) {
  std::atomic<bool> first_written{false};
  const auto late = [&](FrameWriter& w) {
    // It takes what it may hold, and what the stream keeps; then its writer waits.
    EXPECT_TRUE(reel_test::wait_until([&] { return counters(0).verified.load() >= kJoinPins; }));
    EXPECT_FALSE(first_written.load());
    write(w, times_of(30, 10));
    end(w);
  };
  const auto early = [&](FrameWriter& w) {
    write(w, times_of(30, 10));
    first_written.store(true);
    end(w);
  };
  EXPECT_THAT(told(early, late), testing::StartsWith("0+0 1+1 2+2 3+3 4+4 5+5 6+6 7+7 8+8 9+9 10+10 11+11 "));
  EXPECT_EQ(counters(0).frames.load(), 30u);
  EXPECT_EQ(counters(0).skipped.load(), 0u);
}

TEST_F(JoinedStage, GetsEventsInTheirOrder) {
  const auto play = [](FrameWriter& w) {
    write(w, {0});
    EXPECT_EQ(w.write_event("lights out"), WriteStatus::ok);
    write(w, {100}, 1);
    EXPECT_EQ(w.write_gap(200 * kMillisecond, 10), WriteStatus::ok);
    end(w);
  };
  const auto plain = [](FrameWriter& w) {
    write(w, {0, 100, 200});
    end(w);
  };
  EXPECT_EQ(told(play, plain), "0+0 o0 1+1 o0 e0 ");
}

TEST_F(JoinedStage, EndsWithTheFirstInputThatEnds) {
  const auto endless = [&](FrameWriter& w) {
    write(w, times_of(4, 10));
    const std::byte byte{7};
    FrameInfo info;
    info.pts_ns = 1'000 * kMillisecond;
    // For as long as the stage reads: its writer is not asked to end.
    while (mapping_.page().state.load(std::memory_order_relaxed) !=
           static_cast<std::uint32_t>(StageState::finished)) {
      info.pts_ns += kMillisecond;
      ASSERT_EQ(w.write({&byte, 1}, info), WriteStatus::ok);
    }
  };
  const auto short_one = [](FrameWriter& w) {
    write(w, times_of(3, 10));
    end(w);
  };
  EXPECT_EQ(told(endless, short_one), "0+0 1+1 2+2 e1 ");
  EXPECT_EQ(state(), StageState::finished);
}

TEST_F(JoinedStage, EndsWithAnInputWhoseWriterIsGoneForGood) {
  const auto plain = [](FrameWriter& w) {
    write(w, times_of(4, 10));
    end(w);
  };
  const auto gone = [&](FrameWriter& w) {
    write(w, times_of(2, 10));
    EXPECT_TRUE(reel_test::wait_until([&] { return counters(1).verified.load() == 2; }));
    FrameWriter(std::move(w));  // without an end
    mapping_.page().ended_inputs.fetch_or(0b10);
  };
  EXPECT_EQ(told(plain, gone), "0+0 1+1 e1 ");
}

class PatientStage : public JoinedStage {
 protected:
  // One input has more frames than its stream has slots for; the other never has one.
  void plays_without_a_partner() {
    setup_.join->timeout_ns = 50 * kMillisecond;
    const auto early = [&](FrameWriter& w) {
      write(w, times_of(60, 10));
      end(w);
    };
    const auto never = [&](FrameWriter& w) {
      w.set_format(Format{});
      EXPECT_TRUE(reel_test::wait_until([&] { return counters(0).skipped.load() >= 60; }));
      end(w);
    };
    EXPECT_THAT(told(early, never), testing::StartsWith("e"));
    EXPECT_EQ(counters(0).skipped.load(), 60u);
    EXPECT_EQ(counters(0).frames.load(), 0u);
  }
};

TEST_F(PatientStage, LetsFramesGoThatHaveWaitedLongEnough) {
  plays_without_a_partner();
}

TEST_F(PatientStage, LetsThemGoBeforeItKnowsByWhichTimesToJoin) {
  setup_.join->time = JoinTime::automatic;
  plays_without_a_partner();
}

TEST_F(JoinedStage, GoesOnWhenItsSourceStartsAgain) {
  const auto twice = [&](const std::vector<int>& times_ms, std::size_t input) {
    return [&, times_ms, input](FrameWriter& w) {
      write(w, times_ms);
      EXPECT_TRUE(reel_test::wait_until([&] { return counters(input).frames.load() == 5; }));
      FrameWriter(std::move(w));  // without an end
      FrameWriter again = writer(input);
      write(again, times_ms, 100);
      end(again);
    };
  };
  const std::string text = told(twice(times_of(5, 10), 0), twice(times_of(5, 10), 1));
  EXPECT_THAT(text, testing::StartsWith("0+0 1+1 2+2 3+3 4+4 100+100 101+101 102+102 103+103 104+104 e"));
}

TEST_F(JoinedStage, OfCamerasGoesByTheClock) {
  setup_.join->time = JoinTime::automatic;
  const auto camera = [](std::int64_t started_ms, const std::vector<int>& times_ms) {
    return [=](FrameWriter& w) {
      Segment segment;
      segment.monotonic_offset_ns = started_ms * kMillisecond;
      w.set_format(Format{});
      w.set_segment(segment);
      write(w, times_ms);
      end(w);
    };
  };
  // Each counts from its own start: the second began 300 ms after the first.
  EXPECT_THAT(told(camera(5000, times_of(10, 10)), camera(5300, times_of(7, 10, 2))),
              testing::StartsWith("3+0 4+1 5+2 6+3 7+4 8+5 9+6 e"));
}

TEST_F(JoinedStage, OfFilesGoesByTheirPts) {
  setup_.join->time = JoinTime::automatic;
  EXPECT_EQ(told(times_of(3, 10), times_of(3, 10)).substr(0, 12), "0+0 1+1 2+2 ");
}

TEST_F(JoinedStage, ByPtsFailsWhereThereIsNone) {
  start();
  std::thread input([&] {
    FrameWriter a = writer(0);
    const std::byte byte{7};
    EXPECT_EQ(a.write({&byte, 1}), WriteStatus::ok);
  });
  input.join();
  join();
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->code(), ErrorCode::bad_config);
  EXPECT_THAT(failure_->what(), testing::HasSubstr("has no timestamp"));
  EXPECT_THAT(failure_->what(), testing::HasSubstr("time: capture"));
}

TEST_F(JoinedStage, OfAudioIsRefused) {
  start();
  std::thread input([&] {
    FrameWriter a = writer(0);
    a.set_format(AudioFormat{SampleFormat::S16LE, 48000, 1});
    const std::array<std::byte, 4> samples{};
    EXPECT_EQ(a.write(samples), WriteStatus::ok);
  });
  input.join();
  join();
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->code(), ErrorCode::bad_config);
  EXPECT_THAT(failure_->what(), testing::HasSubstr("audio/x-raw"));
}

TEST_F(JoinedStage, NeedsTwoPinsAtEachInput) {
  setup_.inputs[1].reader.max_pins = 1;
  reel_test::expect_error(ErrorCode::bad_config, {"may hold 1 frame", "needs 2", "max_pins"},
                          [&] { run_stage(plugin_, setup_, stop_, mapping_.page()); });
}

class JoinedCollector : public RunStage {
 protected:
  JoinedCollector() { setup_.join = JoinRule{0, JoinTime::media, 0}; }

  static void write(FrameWriter& writer, const std::vector<int>& times_ms) {
    const std::byte byte{7};
    for (const int time_ms : times_ms) {
      FrameInfo info;
      info.pts_ns = time_ms * kMillisecond;
      ASSERT_EQ(writer.write({&byte, 1}, info), WriteStatus::ok) << writer.error();
    }
  }
};

TEST_F(JoinedCollector, GetsNoFurtherSetOnceItHasDoneItsWork) {
  option("finish_after", "1");
  setup_.join->tolerance_ns = 5 * kMillisecond;
  start();
  FrameWriter first = writer(0), second = writer(1);
  std::thread inputs([&] {
    write(first, {3, 100, 200});
    EXPECT_TRUE(reel_test::wait_until([&] { return mapping_.page().inputs[0].verified.load() >= 2; }));
    // Two sets at once: only with its second frame is it clear that the first has no nearer one.
    write(second, {0, 100, 200});
  });
  EXPECT_EQ(read_all(), std::string("\0\1s", 3)) << "the set at hand to its end";
  inputs.join();
  join();
  EXPECT_FALSE(failure_) << failure_->what();
}

TEST_F(JoinedCollector, ThatKnowsNoSetsGetsTheFramesOneByOneInTheOrderOfItsInputs) {
  start();
  std::vector<std::thread> inputs;
  for (const std::size_t i : {std::size_t{1}, std::size_t{0}})
    inputs.emplace_back([&, i] {
      FrameWriter w = writer(i);
      write(w, {0, 1, 2});
      w.end();
      (void)w.drain(60'000);
    });
  EXPECT_EQ(read_all(), std::string("\0\1\0\1\0\1es", 8));
  for (std::thread& input : inputs) input.join();
}

}  // namespace
}  // namespace reel
