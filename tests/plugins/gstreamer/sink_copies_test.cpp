// Buffers that are not slots, or are no more: one copy each, counted, and the right picture.
#include "sender.hpp"

#include <gmock/gmock.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <reel/gst/pointers.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::gst::Ptr;

class Copies : public SinkTest {
 protected:
  void push(Sender& sender, GstBuffer* buffer) {
    ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(sender.element("in")), buffer), GST_FLOW_OK);
  }
  void finish(Sender& sender) {
    gst_app_src_end_of_stream(GST_APP_SRC(sender.element("in")));
    EXPECT_EQ(sender.end(), "eos");
  }
  /// What the sink offers to whoever asks it.
  static Ptr<GstBufferPool> pool_of(Sender& sender, GstCaps* caps) {
    const Ptr<GstPad> pad(gst_element_get_static_pad(sender.sink(), "sink"));
    GstQuery* const query = gst_query_new_allocation(caps, TRUE);
    EXPECT_TRUE(gst_pad_query(pad.get(), query));
    GstBufferPool* pool = nullptr;
    guint size = 0;
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, nullptr, nullptr);
    gst_query_unref(query);
    GstStructure* config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
    EXPECT_TRUE(gst_buffer_pool_set_config(pool, config));
    EXPECT_TRUE(gst_buffer_pool_set_active(pool, TRUE));
    return Ptr<GstBufferPool>(pool);
  }
  static GstMemory* bytes(std::size_t count, int seed) {
    GstMemory* memory = gst_allocator_alloc(nullptr, count, nullptr);
    GstMapInfo map;
    gst_memory_map(memory, &map, GST_MAP_WRITE);
    for (std::size_t i = 0; i < count; ++i) map.data[i] = static_cast<guint8>(i * 7 + seed);
    gst_memory_unmap(memory, &map);
    return memory;
  }
  static GstBuffer* buffer_of(std::initializer_list<GstMemory*> parts) {
    GstBuffer* buffer = gst_buffer_new();
    for (GstMemory* part : parts) gst_buffer_append_memory(buffer, part);
    return buffer;
  }
};

TEST_F(Copies, AForeignBufferCostsExactlyOne) {
  const std::string line = pictures(100) + " ! identity drop-allocation=true";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(sender.stat("copied"), 100u) << sender.stats();
  EXPECT_EQ(sender.stat("in-place"), 0u) << sender.stats();
  EXPECT_EQ(sender.stat("heap-buffers"), 0u) << "nobody asked for one";
  EXPECT_EQ(watcher.pictures(), plain(line));
}

TEST_F(Copies, AThousandBytesOfTheHeapArriveWhole) {
  Sender sender("appsrc name=in caps=application/x-test format=time" + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  GstBuffer* sent = buffer_of({bytes(1000, 3)});
  GstCaps* caps = gst_caps_new_empty_simple("application/x-test");
  const std::uint64_t hash = hash_of(sent, caps);
  push(sender, sent);
  finish(sender);
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), Pictures{hash});
  EXPECT_EQ(sender.stat("copied"), 1u);
  EXPECT_EQ(sender.stat("bytes"), 1000u);
  gst_caps_unref(caps);
}

TEST_F(Copies, BuffersOfSeveralMemoriesAndOfNoneArrive) {
  Sender sender("appsrc name=in caps=application/x-test format=time" + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  GstBuffer* parts = buffer_of({bytes(100, 1), bytes(5000, 2), bytes(3, 3)});
  GstCaps* caps = gst_caps_new_empty_simple("application/x-test");
  GstBuffer* none = gst_buffer_new();
  const Pictures sent{hash_of(parts, caps), hash_of(none, caps), hash_of(parts, caps)};
  push(sender, gst_buffer_ref(parts));
  push(sender, none);
  push(sender, parts);
  finish(sender);
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), sent);
  EXPECT_EQ(sender.stat("copied"), 3u);
  gst_caps_unref(caps);
}

// A plane in a memory of its own, as hardware decoders hand them out.
TEST_F(Copies, PicturesInSeveralMemoriesArrive) {
  const std::string caps_text = "video/x-raw,format=NV12,width=64,height=48,framerate=10/1";
  Sender sender("appsrc name=in format=time caps=" + caps_text + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  GstBuffer* picture = buffer_of({bytes(64 * 48, 1), bytes(64 * 24, 2)});
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  const Pictures sent{hash_of(picture, caps)};
  push(sender, picture);
  finish(sender);
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), sent);
  gst_caps_unref(caps);
}

// The caps say the cropped size, the meta where it lies.
TEST_F(Copies, CroppedPicturesArriveAsTheyAreToBeSeen) {
  const std::string crop = " ! videocrop left=16 top=8 right=32 bottom=4";
  Sender sender(pictures(50) + crop + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), plain(pictures(50) + crop));
  EXPECT_EQ(sender.stat("published"), 50u);
}

TEST_F(Copies, AFrozenImageIsPublishedWhereItLiesOnceAndCopiedThen) {
  const std::string line = pictures(1) + " ! imagefreeze num-buffers=50";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  const Pictures expected = plain(line);
  EXPECT_EQ(watcher.pictures(), expected);
  EXPECT_EQ(expected.size(), 50u);
  EXPECT_LE(sender.stat("in-place"), 1u) << sender.stats();
  EXPECT_EQ(sender.stat("in-place") + sender.stat("copied"), 50u) << sender.stats();
}

TEST_F(Copies, PicturesThatVideorateRepeatsArriveEachTime) {
  const std::string line = pictures(30) + " ! videorate ! video/x-raw,framerate=300/1";
  Sender sender(line + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.play();
  EXPECT_EQ(sender.end(), "eos");
  EXPECT_EQ(watcher.end(), "ended");
  const Pictures expected = plain(line);
  EXPECT_EQ(watcher.pictures(), expected);
  EXPECT_GT(expected.size(), 60u);
  EXPECT_LE(sender.stat("in-place"), 30u) << "each picture once at most: " << sender.stats();
  EXPECT_EQ(sender.stat("in-place") + sender.stat("copied"), expected.size()) << sender.stats();
}

// Formats that Reel has no number for travel with their caps alone: in GStreamer's own layout, then.
TEST_F(Copies, PicturesOfFormatsUnknownToReelTravelInTheDefaultLayout) {
  for (const char* format : {"ARGB64", "AYUV64", "v210", "Y42B", "GRAY16_LE"}) {
    const std::string line = pictures(10, std::string("width=50,height=30,format=") + format);
    Sender sender(line + sink("wait-for-readers=1"));
    Watcher watcher(stream());
    sender.play();
    EXPECT_EQ(sender.end(), "eos") << format;
    EXPECT_EQ(watcher.end(), "ended") << format;
    EXPECT_EQ(watcher.pictures(), plain(line)) << format;
  }
}

TEST_F(Copies, PaddedPicturesOfFormatsUnknownToReelAreBroughtIntoTheDefaultLayout) {
  const std::string caps_text = "video/x-raw,format=ARGB64,width=10,height=6,framerate=10/1";
  Sender sender("appsrc name=in format=time caps=" + caps_text + sink("wait-for-readers=1"));
  Watcher watcher(stream());
  sender.start();
  constexpr gint kStride = 10 * 8 + 48;
  GstBuffer* picture = buffer_of({bytes(100 + kStride * 6, 1)});
  gsize offsets[GST_VIDEO_MAX_PLANES] = {100};
  gint strides[GST_VIDEO_MAX_PLANES] = {kStride};
  gst_buffer_add_video_meta_full(picture, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_ARGB64, 10, 6, 1,
                                 offsets, strides);
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  const Pictures sent{hash_of(picture, caps)};
  push(sender, picture);
  finish(sender);
  EXPECT_EQ(watcher.end(), "ended");
  EXPECT_EQ(watcher.pictures(), sent);
  EXPECT_EQ(sender.stat("copied"), 1u);
  gst_caps_unref(caps);
}

// In place behind the sink: whoever still holds a published buffer cannot write into it.
TEST_F(Copies, WhatWasPublishedDoesNotChangeUnderAnInPlaceElementBehindATee) {
  for (const char* queues : {"", "! queue", "! queue max-size-buffers=1"}) {
    const std::string line = pictures(60);
    Sender sender(line + " ! tee name=t t. " + queues +
                  " ! reelsink name=sink sync=false wait-for-readers=1 stream=" + stream() + " t. " + queues +
                  " ! videobalance brightness=0.5 ! fakesink sync=false async=false");
    Watcher watcher(stream());
    sender.start();
    EXPECT_EQ(sender.end(), "eos");
    EXPECT_EQ(watcher.end(), "ended");
    EXPECT_EQ(watcher.pictures(), plain(line)) << queues;
  }
}

// tee passes no pool on, but whoever has it may: then the very memory that was published goes to both
// branches.
TEST_F(Copies, SlotsThatGoToAnInPlaceBranchTooAreCopiedThere) {
  const std::string caps_text = "video/x-raw,format=I420,width=64,height=48,framerate=100/1";
  GstCaps* const caps = gst_caps_from_string(caps_text.c_str());
  for (const char* queues : {"", "! queue", "! queue max-size-buffers=1"}) {
    Sender sender("appsrc name=in format=time caps=" + caps_text + " ! tee name=t t. " + queues +
                  " ! reelsink name=sink sync=false wait-for-readers=1 stream=" + stream() + " t. " + queues +
                  " ! videobalance brightness=0.5 ! fakesink sync=false async=false");
    Watcher watcher(stream(), Watcher::lossless(), true);
    sender.start();
    const Ptr<GstBufferPool> pool = pool_of(sender, caps);
    Pictures sent;
    for (int i = 0; i < 10; ++i) {
      GstBuffer* buffer = nullptr;
      ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), GST_FLOW_OK);
      gst_buffer_memset(buffer, 0, static_cast<guint8>(i * 9), gst_buffer_get_size(buffer));
      GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(i) * 10 * GST_MSECOND;
      sent.push_back(hash_of(buffer, caps));
      push(sender, buffer);
      ASSERT_TRUE(sender.wait_for(sent.size()));
    }
    watcher.resume();  // reads what was published, and changed if anything could
    finish(sender);
    EXPECT_EQ(watcher.end(), "ended");
    EXPECT_EQ(watcher.pictures(), sent) << queues;
    EXPECT_GE(sender.stat("in-place"), 8u) << sender.stats();
  }
  gst_caps_unref(caps);
}

}  // namespace
}  // namespace gstreamer_test
