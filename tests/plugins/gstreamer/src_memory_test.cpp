// What reelsrc's buffers are made of, and how long that lives.
#include "player.hpp"

#include <algorithm>
#include <barrier>
#include <fstream>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <reel_test/wait_until.hpp>

namespace gstreamer_test {
namespace {

using reel::FrameWriter;

class SourceMemory : public SourceTest {
 protected:
  static constexpr const char* kHeldLine = " ! appsink name=out sync=false max-buffers=0";

  // Pulls the next buffer of an appsink and keeps it.
  static GstSample* pull(Player& player) {
    GstSample* sample = nullptr;
    g_signal_emit_by_name(player.element("out"), "try-pull-sample", 60 * GST_SECOND, &sample);
    EXPECT_NE(sample, nullptr);
    return sample;
  }
  static bool all_are(GstBuffer* buffer, int value) {
    GstMapInfo map{};
    if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return false;
    const bool same = std::all_of(map.data, map.data + map.size, [&](guint8 one) { return one == value; });
    gst_buffer_unmap(buffer, &map);
    return same;
  }
  [[nodiscard]] std::size_t mappings() const {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);)
      count += line.find("reel." + stream()) != std::string::npos ? 1 : 0;
    return count;
  }
};

TEST_F(SourceMemory, DownstreamThatHoldsBuffersGetsCopiesBeyondTheQuotaAndNothingStalls) {
  Player player(src("policy=lossless max-pins=4") + kHeldLine);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  std::vector<GstSample*> held;
  for (int i = 1; i <= 20; ++i) {
    write(writer, i);
    held.push_back(pull(player));
  }
  EXPECT_EQ(player.stat("copied"), 17u);
  EXPECT_EQ(player.stat("held"), 3u) << "one is for the frame that is being taken";
  for (int i = 1; i <= 20; ++i) {
    EXPECT_TRUE(all_are(gst_sample_get_buffer(held[i - 1]), i)) << "buffer " << i;
    gst_sample_unref(held[i - 1]);
  }
}

TEST_F(SourceMemory, BuffersOutliveTheWriterTheStopAndTheElement) {
  std::vector<GstSample*> held;
  {
    Player player(src("policy=lossless") + kHeldLine);
    player.play();
    FrameWriter writer(stream(), picture(), {.slots = 8});
    ASSERT_TRUE(wait_for_readers(writer));
    for (int i = 1; i <= 3; ++i) {
      write(writer, i);
      held.push_back(pull(player));
    }
    EXPECT_EQ(player.stat("copied"), 0u);
  }
  EXPECT_GT(mappings(), 0u);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(all_are(gst_sample_get_buffer(held[i - 1]), i));
  for (GstSample* sample : held) gst_sample_unref(sample);
  EXPECT_TRUE(reel_test::wait_until([&] { return mappings() == 0; })) << "and nothing outlives them";
}

// What the memories are held with is used again, and comes back from any thread.
TEST_F(SourceMemory, BuffersThatThreadsReleaseAtOnceAreAllLetGo) {
  constexpr int kRounds = 100;
  constexpr std::size_t kThreads = 4;
  Player player(src("policy=lossless max-pins=6") + kHeldLine + " enable-last-sample=false");
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer));
  for (int round = 0; round < kRounds; ++round) {
    std::vector<GstSample*> held;
    for (std::size_t i = 0; i < kThreads; ++i) {
      write(writer, round + static_cast<int>(i));
      held.push_back(pull(player));
      ASSERT_TRUE(all_are(gst_sample_get_buffer(held[i]), round + static_cast<int>(i)));
    }
    std::barrier start(kThreads);
    std::vector<std::jthread> threads;
    for (GstSample* sample : held) {
      threads.emplace_back([&start, sample] {
        start.arrive_and_wait();
        gst_sample_unref(sample);
      });
    }
    threads.clear();
    ASSERT_LE(player.stat("held"), 1u) << "round " << round << ", and appsink keeps its last";
  }
  EXPECT_EQ(player.stat("copied"), 0u);
}

TEST_F(SourceMemory, CannotBeWrittenAndElementsThatWorkInPlaceGetACopy) {
  Player watched(src("policy=lossless") + kHeldLine);
  watched.play();
  Player changed("reelsrc name=source policy=lossless stream=" + stream() +
                 " ! videobalance brightness=-1 ! appsink name=out sync=false");
  changed.play();
  FrameWriter writer(stream(), picture(), {.slots = 16});
  ASSERT_TRUE(wait_for_readers(writer, 2));
  write(writer, 200);
  GstSample* original = pull(watched);
  GstSample* dark = pull(changed);
  GstBuffer* buffer = gst_sample_get_buffer(original);
  GstMapInfo map{};
  EXPECT_FALSE(gst_memory_map(gst_buffer_peek_memory(buffer, 0), &map, GST_MAP_WRITE));
  EXPECT_TRUE(all_are(buffer, 200));
  EXPECT_FALSE(all_are(gst_sample_get_buffer(dark), 200));
  gst_sample_unref(original);
  gst_sample_unref(dark);
}

TEST_F(SourceMemory, IsMappedOnceForAllFrames) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  write(writer, 1);
  ASSERT_TRUE(player.wait_for(1));
  const std::size_t before = mappings();
  for (int i = 0; i < 200; ++i) write(writer, i);
  ASSERT_TRUE(player.wait_for(201));
  EXPECT_EQ(mappings(), before);
}

TEST_F(SourceMemory, AnEmptyFrameIsAnEmptyBuffer) {
  Player player(into_sink("policy=lossless"));
  player.play();
  FrameWriter writer(stream(), reel::Format());
  ASSERT_TRUE(wait_for_readers(writer));
  ASSERT_EQ(writer.write({}), reel::WriteStatus::ok);
  writer.end();
  EXPECT_EQ(player.end(), "eos");
  ASSERT_EQ(player.buffers().size(), 1u);
  EXPECT_EQ(player.buffers().front().bytes, 0u);
}

// A picture whose rows are padded with 99.
void write_padded(FrameWriter& writer, const reel::VideoFormat& format) {
  const std::uint32_t stride = format.width + 48;
  const std::vector<std::uint64_t> offsets{0, std::uint64_t{stride} * format.height};
  const std::vector<std::uint32_t> strides{stride, stride};
  const std::uint64_t bytes = std::uint64_t{stride} * format.height * 3 / 2;
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan, bytes), reel::WriteStatus::ok);
  std::fill(loan.data().begin(), loan.data().end(), std::byte{99});
  ASSERT_TRUE(loan.set_layout(*reel::checked_layout(format, offsets, strides, bytes)));
  for (std::uint32_t index = 0; index < 2; ++index) {
    const reel::PlaneView plane = loan.plane(index);
    for (std::uint32_t row = 0; row < plane.rows; ++row)
      std::fill_n(plane.data + std::size_t{row} * plane.stride_bytes, plane.row_bytes, std::byte{5});
  }
  ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();
}

TEST_F(SourceMemory, PaddedPicturesAreRepackedForThoseWhoReadNoVideoMeta) {
  Player player(src("policy=lossless") + kHeldLine);  // an appsink says nothing of metas
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  write_padded(writer, *picture().video());
  GstSample* sample = pull(player);
  EXPECT_EQ(gst_buffer_get_size(gst_sample_get_buffer(sample)), kFrameBytes);
  EXPECT_TRUE(all_are(gst_sample_get_buffer(sample), 5)) << "nothing of the padding";
  EXPECT_EQ(player.stat("repacked"), 1u);
  gst_sample_unref(sample);
}

TEST_F(SourceMemory, PaddedPicturesStayInTheirSlotsForThoseWhoDo) {
  Player player(src("policy=lossless") + " ! videoconvert ! video/x-raw,format=I420" + kHeldLine);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  write_padded(writer, *picture().video());
  GstSample* sample = pull(player);
  EXPECT_TRUE(all_are(gst_sample_get_buffer(sample), 5));
  EXPECT_EQ(player.stat("repacked"), 0u);
  EXPECT_EQ(player.stat("copied"), 0u);
  gst_sample_unref(sample);
}

// Each component, looked for where an element with these caps looks, begins and ends with its value.
void expect_components(GstSample* sample, const std::vector<int>& values) {
  ASSERT_NE(sample, nullptr);
  GstVideoInfo info{};
  ASSERT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  GstVideoFrame frame{};
  ASSERT_TRUE(gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
  for (guint i = 0; i < values.size(); ++i) {
    const auto* const data = static_cast<const guint8*>(GST_VIDEO_FRAME_COMP_DATA(&frame, i));
    const std::ptrdiff_t stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, i);
    EXPECT_EQ(data[0], values[i]) << "component " << i;
    EXPECT_EQ(data[stride * (GST_VIDEO_FRAME_COMP_HEIGHT(&frame, i) - 1)], values[i]) << "component " << i;
  }
  gst_video_frame_unmap(&frame);
}

// The last row ends with its last pixel.
TEST_F(SourceMemory, APictureWithoutItsLastPaddingCanBeMapped) {
  for (const char* const after : {"", " ! videoconvert ! video/x-raw,format=BGRx"}) {
    Player player(src("policy=lossless") + after + kHeldLine);
    player.play();
    FrameWriter writer(stream(), reel::VideoFormat{reel::PixelFormat::RGB, 5, 4, {100, 1}}, {.slots = 8});
    ASSERT_TRUE(wait_for_readers(writer));
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan, 3 * 16 + 5 * 3), reel::WriteStatus::ok);
    std::fill(loan.data().begin(), loan.data().end(), std::byte{7});
    ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();
    GstSample* const sample = pull(player);
    expect_components(sample, {7, 7, 7});
    gst_sample_unref(sample);
  }
}

// Whose chroma planes GStreamer gives an even number of rows, which ours have not.
TEST_F(SourceMemory, InterlacedPicturesThatLieInOurLayoutAreFoundByTheirCaps) {
  const auto format = reel::Format::from_caps(
      "video/x-raw, format=(string)I420, width=(int)720, height=(int)486, interlace-mode=(string)mixed, "
      "framerate=(fraction)30/1");
  ASSERT_NE(format.video(), nullptr);
  for (const char* const after : {"", " ! videoconvert ! video/x-raw,format=YV12"}) {
    Player player(src("policy=lossless") + after + kHeldLine);
    player.play();
    FrameWriter writer(stream(), format, {.slots = 8});
    ASSERT_TRUE(wait_for_readers(writer));
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan), reel::WriteStatus::ok);
    for (std::uint32_t index = 0; index < 3; ++index) {
      const reel::PlaneView plane = loan.plane(index);
      std::fill_n(plane.data, std::size_t{plane.rows} * plane.stride_bytes, std::byte(60 + index));
    }
    ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();
    GstSample* const sample = pull(player);
    expect_components(sample, {60, 61, 62});
    gst_sample_unref(sample);
  }
}

TEST_F(SourceMemory, AsksDownstreamForItsAllocationOnceForEachCaps) {
  Player player(into_sink("policy=lossless"));
  std::atomic<int> asked{0};
  GstPad* pad = gst_element_get_static_pad(player.source(), "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      +[](GstPad*, GstPadProbeInfo* info, gpointer count) {
        const bool push = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PUSH) != 0;
        GstCaps* caps = nullptr;
        if (push && GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_ALLOCATION)
          gst_query_parse_allocation(GST_PAD_PROBE_INFO_QUERY(info), &caps, nullptr);
        if (caps != nullptr) ++*static_cast<std::atomic<int>*>(count);
        return GST_PAD_PROBE_OK;
      },
      &asked, nullptr);
  gst_object_unref(pad);
  player.play();
  FrameWriter writer(stream(), picture(), {.slots = 8});
  ASSERT_TRUE(wait_for_readers(writer));
  for (int i = 0; i < 20; ++i) write(writer, i);
  writer.set_format(picture(32, 16));
  for (int i = 0; i < 20; ++i) write(writer, i);
  ASSERT_TRUE(player.wait_for(40));
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace gstreamer_test
