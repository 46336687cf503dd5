// Nothing that reelsrc does adds up: a thousand cycles of states, a thousand writers, and the leaks tracer;
// and what takes its time: the notice of a writer that does not come.
#include "player.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <reel/channel/frame_reader.hpp>
#include <reel/channel/observer.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameWriter;
using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kNotice =
    static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_INFO | GST_MESSAGE_ERROR);

class SourceEndurance : public SourceTest {
 protected:
  static constexpr int kRounds = 1000;
  static constexpr int kWarmUp = 100;
  static constexpr std::size_t kMoreBytes = 8u << 20;  // what allocators and logs may take on the way

  // What the process holds after kWarmUp rounds and after all of them.
  template <typename Round>
  static void expect_flat(Round&& round) {
    std::size_t descriptors = 0, bytes = 0, threads = 0;
    for (int i = 0; i < kRounds; ++i) {
      ASSERT_NO_FATAL_FAILURE(round(i));
      if (i != kWarmUp) continue;
      descriptors = reel_test::open_descriptors();
      bytes = reel_test::resident_bytes();
      threads = reel_test::thread_count();
    }
    EXPECT_LE(reel_test::open_descriptors(), descriptors + 2)
        << ::testing::PrintToString(reel_test::descriptor_targets());
    EXPECT_LE(reel_test::resident_bytes(), bytes + kMoreBytes);
    EXPECT_TRUE(reel_test::wait_until([&] { return reel_test::thread_count() <= threads + 2; }))
        << reel_test::thread_count() << " threads";
  }
  static ChildProcess traced(const std::string& line) {
    set_up();
    std::vector<std::string> words{"-q"};
    std::istringstream text(line);
    for (std::string word; text >> word;) words.push_back(word);
    return ChildProcess::program(
        "gst-launch-1.0", words,
        {{"GST_TRACERS", "leaks"}, {"GST_DEBUG", "GST_TRACER:7"}, {"GST_DEBUG_NO_COLOR", "1"}});
  }
};

// The notice comes after ten seconds: long for a test, and no property only for one.
class SourceAbsence : public SourceTest {};

TEST_F(SourceAbsence, IsToldOfOnceEachTimeWithTheNameThatWasMeant) {
  const std::string misspelt = stream() + "x";
  FrameWriter near(stream(), picture());
  Player player("reelsrc name=source stream=" + misspelt + " ! fakesink sync=false");
  player.play();
  const auto told =
      AllOf(HasSubstr("Waiting for the writer of stream \"" + misspelt + "\""),
            HasSubstr("looked in " + runtime_.path()), HasSubstr("did you mean '" + stream() + "'?"));
  EXPECT_THAT(player.message(kNotice), told);
  {
    FrameWriter writer(misspelt, picture());
    ASSERT_TRUE(wait_for_readers(writer));
    write(writer, 1);
    ASSERT_TRUE(player.wait_for(1));
  }
  EXPECT_THAT(player.message(kNotice), told) << "another absence";
  EXPECT_EQ(player.message_there_is(kNotice), "");
}

TEST_F(SourceAbsence, NamesARuntimeDirectoryThatIsNotThere) {
  const std::string elsewhere = runtime_.path() + "/nowhere";
  ::setenv("REEL_RUNTIME_DIR", elsewhere.c_str(), 1);
  Player player(into_sink());
  player.play();
  EXPECT_THAT(player.message(kNotice), AllOf(HasSubstr("warning: Waiting for the writer of stream"),
                                             HasSubstr("looked in " + elsewhere + " (which does not exist)"),
                                             HasSubstr("no stream has a writer now")));
}

TEST_F(SourceAbsence, TellsAWriterThatDoesNotAnswerApart) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  ChildProcess sender = launch("videotestsrc is-live=true ! reelsink stream=" + stream());
  ASSERT_TRUE(reel_test::wait_until([&] { return reel::list_streams().size() == 1; })) << sender.errors();
  sender.signal(SIGSTOP);
  Player player(into_sink());
  player.play();
  EXPECT_THAT(player.message(kNotice),
              AllOf(HasSubstr("Waiting for the writer of stream"),
                    HasSubstr("process " + std::to_string(sender.pid()) +
                              " listens for it and has not answered yet: is it stopped?")));
}

// 16 slots are enough for two readers of the defaults; a third is let in with the next frame.
TEST_F(SourceAbsence, IsNotThatOfAWriterThatIsSlow) {
  reel::WriterOptions options;
  options.slots = 16;
  options.grow_for_readers = true;
  options.loans = 4;
  options.live = true;
  FrameWriter writer(stream(), picture(), options);
  write(writer, 1);
  const reel::FrameReader first(stream()), second(stream());
  Player waits(into_sink());
  Player limited(into_sink("timeout=2000000000"));
  Player once(into_sink("reconnect=false"));
  for (Player* one : {&waits, &limited, &once}) one->play();
  // Longer than the notice, the timeout and what an answer to hello may take.
  std::this_thread::sleep_for(std::chrono::seconds(11));
  EXPECT_LT(writer.readers().size(), 5u) << "they all fit: nothing is shown";
  for (Player* one : {&waits, &limited, &once}) EXPECT_EQ(one->message_there_is(kNotice), "");
  write(writer, 2);
  ASSERT_TRUE(wait_for_readers(writer, 5));
  write(writer, 3);
  for (const Player* one : {&waits, &limited, &once}) EXPECT_TRUE(one->wait_for(1));
}

TEST_F(SourceEndurance, AThousandCyclesOfStatesLeaveNothingBehind) {
  FrameWriter writer(stream(), picture(), {.slots = 16, .live = true});
  std::atomic<bool> done{false};
  std::jthread writing([&] {
    for (int i = 0; !done; ++i) {
      write(writer, i);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  Player player(into_sink());
  expect_flat([&](int) {
    const std::size_t before = player.count("buffer");
    player.play();
    ASSERT_TRUE(player.wait_for(before + 1));
    player.stop();
    player.forget();
  });
  done = true;
}

TEST_F(SourceEndurance, AThousandWritersLeaveNothingBehind) {
  Player player(into_sink());
  player.play();
  expect_flat([&](int) {
    const std::size_t before = player.count("buffer");
    FrameWriter writer(stream(), picture(), {.slots = 16});
    ASSERT_TRUE(wait_for_readers(writer));
    write(writer, 1);
    ASSERT_TRUE(player.wait_for(before + 1));
    player.forget();
  });
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_ERROR), "");
  EXPECT_EQ(player.stat("connects"), static_cast<std::uint64_t>(kRounds));
}

TEST_F(SourceEndurance, TheLeaksTracerFindsNothingOfASourceThatReadAStreamToItsEnd) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  ChildProcess sender = launch(
      "videotestsrc num-buffers=50 ! video/x-raw,format=NV12,width=64,height=48 ! taginject tags=title=a ! "
      "reelsink "
      "sync=false wait-for-readers=1 stream=" +
      stream());
  ChildProcess receiver = traced("reelsrc policy=lossless stream=" + stream() + " ! videoconvert ! fakesink");
  EXPECT_TRUE(receiver.wait().ok());
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
  EXPECT_THAT(receiver.errors(), Not(HasSubstr("Leaks detected")));
}

TEST_F(SourceEndurance, TheLeaksTracerFindsNothingOfASourceThatFailed) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  ChildProcess receiver = traced("reelsrc reconnect=false stream=" + stream() + " ! fakesink");
  EXPECT_FALSE(receiver.wait().ok());
  EXPECT_THAT(receiver.errors(), Not(HasSubstr("Leaks detected")));
}

// That the two above would see a leak.
TEST_F(SourceEndurance, TheLeaksTracerSeesAMemoryThatIsKept) {
  ChildProcess leaking = ChildProcess::role(
      "leaks_a_reel_buffer", {stream()},
      {{"GST_TRACERS", "leaks"}, {"GST_DEBUG", "GST_TRACER:7"}, {"GST_DEBUG_NO_COLOR", "1"}});
  EXPECT_TRUE(leaking.wait().ok()) << leaking.errors();
  EXPECT_THAT(leaking.errors(),
              AllOf(HasSubstr("Leaks detected"), HasSubstr("object-alive, type-name=(string)GstBuffer")));
}

const reel_test::Role leaks_a_reel_buffer(
    "leaks_a_reel_buffer", [](const std::vector<std::string>& arguments) {
      {
        Player player("reelsrc name=source policy=lossless stream=" + arguments[0] +
                      " ! appsink name=out sync=false");
        player.play();
        FrameWriter writer(arguments[0], reel::VideoFormat{reel::PixelFormat::NV12, 16, 8, {100, 1}});
        if (!reel_test::wait_until([&] { return !writer.readers().empty(); })) return 1;
        const std::vector<std::byte> bytes(16 * 8 * 3 / 2);
        if (writer.write(bytes) != reel::WriteStatus::ok) return 1;
        GstSample* sample = nullptr;
        g_signal_emit_by_name(player.element("out"), "try-pull-sample", 60 * GST_SECOND, &sample);
        if (sample == nullptr) return 1;
        gst_buffer_ref(gst_sample_get_buffer(sample));
        gst_sample_unref(sample);
      }
      gst_deinit();
      return 0;
    });

}  // namespace
}  // namespace gstreamer_test
