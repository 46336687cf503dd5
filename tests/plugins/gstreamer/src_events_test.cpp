// What comes between the buffers: caps, segments, tags, gaps, events; and streams that are switched.
#include "player.hpp"

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameInfo;
using reel::FrameWriter;
using reel::WriteStatus;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kMs = 1'000'000;

class SourceEvents : public SourceTest {
 protected:
  // "caps", "1" for a buffer by its first byte, ...
  static std::vector<std::string> order(const Player& player) {
    std::vector<std::string> order;
    for (const Left& one : player.left())
      order.push_back(one.what == "buffer" ? std::to_string(one.first_byte) : one.what);
    return order;
  }
  static FrameInfo at(std::int64_t pts_ns) {
    FrameInfo info;
    info.pts_ns = pts_ns;
    return info;
  }
};

TEST_F(SourceEvents, KeepTheirPlaceAmongTheBuffersAndBeforeTheEnd) {
  Player player(into_sink("policy=lossless is-live=false"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1, at(0));
  ASSERT_EQ(writer.write_event("cut, scene=(int)7;"), WriteStatus::ok);
  write(writer, 2, at(10 * kMs));
  ASSERT_EQ(writer.write_gap(20 * kMs, 10 * kMs), WriteStatus::ok);
  writer.set_tags("taglist, title=(string)\"a b\";");
  write(writer, 3, at(30 * kMs));
  ASSERT_EQ(writer.write_event("last, scene=(int)8;"), WriteStatus::ok);
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  EXPECT_THAT(order(player), ElementsAre("stream-start", "caps", "segment", "1", "custom-downstream", "2",
                                         "gap", "tag", "3", "custom-downstream", "eos"));
  EXPECT_THAT(player.left()[4].text, AllOf(StartsWith("cut"), HasSubstr("scene=(int)7")));
  EXPECT_EQ(player.left()[6].pts, 20u * kMs);
  EXPECT_EQ(player.left()[6].duration, 10u * kMs);
}

TEST_F(SourceEvents, AGapBeforeAnyBufferHasCapsAndASegmentBeforeIt) {
  Player player(into_sink("policy=lossless is-live=false"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  ASSERT_EQ(writer.write_gap(0, 10 * kMs), WriteStatus::ok);
  ASSERT_TRUE(reel_test::wait_until([&] { return player.count("gap") == 1; }))
      << "not held back for a buffer";
  EXPECT_THAT(order(player), ElementsAre("stream-start", "caps", "segment", "gap"));
}

TEST_F(SourceEvents, CapsChangeInTheirPlace) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  writer.set_format(picture(64, 48));
  write(writer, 2);
  writer.set_format(picture());
  write(writer, 3);
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  auto seen = order(player);
  std::erase_if(seen, [](const std::string& one) { return one != "caps" && one.size() != 1; });
  EXPECT_THAT(seen, ElementsAre("caps", "1", "caps", "2", "caps", "3"));
}

TEST_F(SourceEvents, CapsThatDownstreamRefusesAreAnErrorThatNamesThemAndTheFix) {
  Player player(src() + " ! video/x-raw,format=RGB ! fakesink");
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  EXPECT_THAT(player.end(), AllOf(StartsWith("error: "), HasSubstr(stream()),
                                  HasSubstr("format=(string)NV12"), HasSubstr("videoconvert")));
}

TEST_F(SourceEvents, TheOffsetIsTheSendersOrElseTheFramesNumberInTheStream) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  FrameInfo numbered;
  numbered.offset = 48000;
  write(writer, 1, numbered);
  write(writer, 2);
  ASSERT_TRUE(player.wait_for(2));
  EXPECT_EQ(player.buffers()[0].offset, 48000u);
  EXPECT_EQ(player.buffers()[1].offset, 2u);
  EXPECT_EQ(player.stat("sequence"), 2u);
}

TEST_F(SourceEvents, StreamsAreSwitchedThereAndBackWhilePlayingWithoutAStepBack) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  runtime_.allow_leftovers();
  const std::string other = stream() + ".b";
  const auto send = [](const std::string& name, const std::string& size) {
    return launch("videotestsrc is-live=true ! video/x-raw,format=NV12,framerate=100/1," + size +
                  " ! reelsink slots=16 stream=" + name);
  };
  reel_test::ChildProcess a = send(stream(), "width=64,height=48");
  reel_test::ChildProcess b = send(other, "width=32,height=24");
  Player player(into_sink());
  player.play();
  std::vector<std::size_t> joints{0};
  ASSERT_TRUE(player.wait_for(10)) << a.errors();
  for (const std::string& next : {other, stream()}) {
    g_object_set(player.source(), "stream", next.c_str(), nullptr);
    const std::size_t bytes = next == other ? 32 * 24 * 3 / 2 : 64 * 48 * 3 / 2;
    ASSERT_TRUE(reel_test::wait_until([&] { return player.buffers().back().bytes == bytes; })) << b.errors();
    const auto buffers = player.buffers();
    std::size_t first = buffers.size();
    while (buffers[first - 1].bytes == bytes) --first;
    joints.push_back(first);
    ASSERT_TRUE(player.wait_for(player.buffers().size() + 10));
  }
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_ERROR), "");
  player.stop();
  const auto buffers = player.buffers();
  for (const std::size_t joint : joints) EXPECT_TRUE(buffers[joint].discont) << "buffer " << joint;
  for (std::size_t i = 1; i < buffers.size(); ++i)
    EXPECT_GE(buffers[i].pts, buffers[i - 1].pts) << "buffer " << i;
  EXPECT_EQ(player.count("caps"), 3u);
  EXPECT_EQ(player.count("stream-start"), 1u);
  EXPECT_EQ(player.stat("connects"), 3u);
}

TEST_F(SourceEvents, AStreamIsSwitchedWhileNothingComesFromTheOldOne) {
  FrameWriter silent(stream(), picture());
  FrameWriter other(stream() + ".b", picture());
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(wait_for_readers(silent));
  g_object_set(player.source(), "stream", (stream() + ".b").c_str(), nullptr);
  ASSERT_TRUE(wait_for_readers(other));
  write(other, 7);
  ASSERT_TRUE(player.wait_for(1));
  EXPECT_EQ(player.buffers().front().first_byte, 7);
  EXPECT_TRUE(reel_test::wait_until([&] { return silent.readers().empty(); }));
}

TEST_F(SourceEvents, ABadNameWhilePlayingIsAWarningAndTheStreamStays) {
  FrameWriter writer(stream(), picture());
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(wait_for_readers(writer));
  g_object_set(player.source(), "stream", "no such*name", nullptr);
  EXPECT_THAT(player.message(GST_MESSAGE_WARNING), AllOf(HasSubstr("no such*name"), HasSubstr("63")));
  write(writer, 1);
  EXPECT_TRUE(player.wait_for(1));
  gchar* name = nullptr;
  g_object_get(player.source(), "stream", &name, nullptr);
  EXPECT_EQ(std::string(name), stream());
  g_free(name);
}

}  // namespace
}  // namespace gstreamer_test
