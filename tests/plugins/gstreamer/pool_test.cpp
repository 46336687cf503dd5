// The pool and the allocator that reelsink offers, asked as an element before it asks: through the query.
#include "sender.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <reel/gst/stream_slots.hpp>
#include <reel_test/process_facts.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPicture = "video/x-raw,format=I420,width=62,height=46,framerate=10/1";

class Pool : public SinkTest {
 protected:
  void SetUp() override {
    GstElement* element = gst_element_factory_make("reelsink", nullptr);
    g_object_set(element, "stream", stream().c_str(), "sync", FALSE, "async", FALSE, "enable-last-sample",
                 FALSE, nullptr);
    harness_ = gst_harness_new_with_element(element, "sink", nullptr);
    gst_object_unref(element);
    gst_harness_play(harness_);
  }
  void TearDown() override { drop(); }
  void drop() {
    if (harness_ != nullptr) gst_harness_teardown(harness_);
    harness_ = nullptr;
  }
  GstQuery* ask(const char* text) {
    gst_harness_set_src_caps_str(harness_, text);
    GstCaps* caps = gst_caps_from_string(text);
    GstQuery* query = gst_query_new_allocation(caps, TRUE);
    EXPECT_TRUE(gst_pad_peer_query(harness_->srcpad, query));
    gst_caps_unref(caps);
    return query;
  }
  /// The pool, configured with this padding and active. Owned by the caller.
  GstBufferPool* pool(const char* text = kPicture, const GstVideoAlignment* padding = nullptr) {
    GstQuery* query = ask(text);
    GstBufferPool* pool = nullptr;
    guint size = 0, least = 9, most = 9;
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
    GstStructure* config = gst_buffer_pool_get_config(pool);
    GstCaps* caps = gst_caps_from_string(text);
    gst_buffer_pool_config_set_params(config, caps, size, least, most);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (padding != nullptr) {
      GstVideoAlignment copy = *padding;
      gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
      gst_buffer_pool_config_set_video_alignment(config, &copy);
    }
    EXPECT_TRUE(gst_buffer_pool_set_config(pool, config));
    EXPECT_TRUE(gst_buffer_pool_set_active(pool, TRUE));
    gst_caps_unref(caps);
    gst_query_unref(query);
    return pool;
  }
  static GstBuffer* take(GstBufferPool* pool) {
    GstBuffer* buffer = nullptr;
    EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
    return buffer;
  }
  static void paint(GstBuffer* buffer, const char* text, int seed) {
    GstVideoInfo info;
    GstCaps* caps = gst_caps_from_string(text);
    gst_video_info_from_caps(&info, caps);
    gst_caps_unref(caps);
    GstVideoFrame frame;
    ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE));
    for (guint component = 0; component < GST_VIDEO_FRAME_N_COMPONENTS(&frame); ++component) {
      for (gint row = 0; row < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, component); ++row) {
        guint8* line = static_cast<guint8*>(GST_VIDEO_FRAME_COMP_DATA(&frame, component)) +
                       row * GST_VIDEO_FRAME_COMP_STRIDE(&frame, component);
        for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, component); ++x)
          line[x] = static_cast<guint8>(x * 3 + row * 5 + seed * 7 + static_cast<int>(component));
      }
    }
    gst_video_frame_unmap(&frame);
  }
  [[nodiscard]] std::uint64_t stat(const char* name) const {
    GstStructure* all = nullptr;
    g_object_get(harness_->element, "stats", &all, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(all, name, &value);
    gst_structure_free(all);
    return value;
  }
  static bool writable(GstBuffer* buffer) {
    GstMapInfo map;
    if (gst_memory_map(gst_buffer_peek_memory(buffer, 0), &map, GST_MAP_WRITE) == FALSE) return false;
    gst_memory_unmap(gst_buffer_peek_memory(buffer, 0), &map);
    return true;
  }

  GstHarness* harness_ = nullptr;
};

TEST_F(Pool, TheQueryIsAnsweredWithOnePoolWithoutAMaximumForRawVideo) {
  GstQuery* query = ask(kPicture);
  ASSERT_EQ(gst_query_get_n_allocation_pools(query), 1u);
  EXPECT_EQ(gst_query_get_n_allocation_params(query), 0u);
  GstBufferPool* pool = nullptr;
  guint size = 0, least = 9, most = 9;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
  EXPECT_EQ(most, 0u);
  EXPECT_GE(size, 62u * 46 * 3 / 2);
  EXPECT_TRUE(gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_META));
  EXPECT_TRUE(gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr));
  gst_object_unref(pool);
  gst_query_unref(query);
}

TEST_F(Pool, TheQueryIsAnsweredWithOneAllocatorForEverythingElse) {
  for (const char* text : {"audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved",
                           "video/x-h264,stream-format=byte-stream,alignment=au", "application/x-test"}) {
    GstQuery* query = ask(text);
    EXPECT_EQ(gst_query_get_n_allocation_pools(query), 0u) << text;
    ASSERT_EQ(gst_query_get_n_allocation_params(query), 1u) << text;
    gst_query_unref(query);
  }
}

TEST_F(Pool, MemoryOfTheAllocatorIsPublishedWhereItLies) {
  GstQuery* query = ask("application/x-test");
  GstAllocator* allocator = nullptr;
  GstAllocationParams params;
  gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
  gst_query_unref(query);
  for (const std::size_t bytes : {1u, 1000u, 100'000u, 3'000'000u}) {
    GstBuffer* buffer = gst_buffer_new_allocate(allocator, bytes, nullptr);
    gst_buffer_memset(buffer, 0, 7, bytes);
    EXPECT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK) << bytes;
  }
  EXPECT_EQ(stat("in-place"), 4u);
  EXPECT_EQ(stat("copied"), 0u);
  gst_object_unref(allocator);
}

TEST_F(Pool, MemoryOfTheAllocatorHasThePrefixAndThePaddingThatWereAskedForInZeros) {
  GstQuery* query = ask("application/x-test");
  GstAllocator* allocator = nullptr;
  gst_query_parse_nth_allocation_param(query, 0, &allocator, nullptr);
  gst_query_unref(query);
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = 64;
  params.padding = 32;
  params.align = 63;
  params.flags = static_cast<GstMemoryFlags>(GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED);
  Watcher watcher(stream());
  for (int round = 0; round < 40; ++round) {  // slots that were used come again
    GstBuffer* buffer = gst_buffer_new_allocate(allocator, 1000, &params);
    gsize offset = 0, whole = 0;
    EXPECT_EQ(gst_memory_get_sizes(gst_buffer_peek_memory(buffer, 0), &offset, &whole), 1000u);
    EXPECT_EQ(offset, 64u);
    EXPECT_GE(whole, 64u + 1000 + 32);
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(map.data) % 64, 0u);
    for (int i = 1; i <= 64; ++i) EXPECT_EQ(map.data[-i], 0);
    for (int i = 0; i < 32; ++i) EXPECT_EQ(map.data[1000 + i], 0);
    std::memset(map.data, 0xff, 1000);
    gst_buffer_unmap(buffer, &map);
    EXPECT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK);
  }
  EXPECT_EQ(stat("published"), 40u);
  gst_object_unref(allocator);
}

TEST_F(Pool, PicturesWithOddPaddingArrivePixelExactWithoutACopy) {
  Watcher watcher(stream());
  Pictures sent;
  int seed = 0;
  for (const char* format : {"I420", "NV12", "RGB", "YUY2", "Y42B"}) {
    const std::string text = std::string("video/x-raw,width=62,height=46,framerate=10/1,format=") + format;
    GstCaps* caps = gst_caps_from_string(text.c_str());
    for (const guint pad : {0u, 2u, 14u, 34u}) {
      GstVideoAlignment padding;
      gst_video_alignment_reset(&padding);
      padding.padding_left = pad;
      padding.padding_top = pad / 2 * 2;
      padding.padding_right = 2 * pad + 6;
      padding.padding_bottom = pad + 2;
      for (guint& align : padding.stride_align) align = 15;
      GstBufferPool* padded = pool(text.c_str(), &padding);
      for (int i = 0; i < 3; ++i) {
        GstBuffer* buffer = take(padded);
        paint(buffer, text.c_str(), ++seed);
        sent.push_back(hash_of(buffer, caps));
        EXPECT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK) << text << " padded by " << pad;
        if (seed == 1) {
          ASSERT_TRUE(reel_test::wait_until([&] { return stat("published") >= 1; }));
        }
      }
      gst_buffer_pool_set_active(padded, FALSE);
      gst_object_unref(padded);
    }
    gst_caps_unref(caps);
  }
  EXPECT_EQ(stat("published"), sent.size());
  gst_harness_push_event(harness_, gst_event_new_eos());
  EXPECT_EQ(watcher.end(), "ended");
  const Pictures seen = watcher.pictures();
  ASSERT_FALSE(seen.empty());
  // It joins a running stream: from there on it sees all.
  EXPECT_EQ(seen, Pictures(sent.end() - static_cast<std::ptrdiff_t>(seen.size()), sent.end()));
  EXPECT_EQ(stat("copied"), 12u) << "Y42B, which Reel does not know, where it is padded";
}

TEST_F(Pool, WhatWasPublishedIsReadOnlyForWhoeverStillHoldsIt) {
  GstBufferPool* slots = pool();
  GstBuffer* held = take(slots);
  paint(held, kPicture, 1);
  EXPECT_TRUE(writable(held));
  EXPECT_EQ(gst_harness_push(harness_, gst_buffer_ref(held)), GST_FLOW_OK);
  EXPECT_FALSE(writable(held));
  GstBuffer* again = gst_buffer_copy(held);  // the same memory
  EXPECT_FALSE(writable(again));
  // Whoever writes all the same gets memory of its own.
  GstMapInfo map;
  gst_buffer_unref(held);
  again = gst_buffer_make_writable(again);
  ASSERT_TRUE(gst_buffer_map(again, &map, GST_MAP_WRITE));
  EXPECT_EQ(mapping_at(map.data).find("memfd"), std::string::npos);
  gst_buffer_unmap(again, &map);
  gst_buffer_unref(again);
  for (int i = 0; i < 20; ++i) {  // slots that come round again are writable
    GstBuffer* fresh = take(slots);
    EXPECT_TRUE(writable(fresh));
    EXPECT_EQ(gst_harness_push(harness_, fresh), GST_FLOW_OK);
  }
  gst_object_unref(slots);
}

TEST_F(Pool, ThePoolGrowsWhereBuffersAreHeldAndNeverHandsTheSameSlotOutTwice) {
  GstBufferPool* slots = pool();
  std::vector<GstBuffer*> held;
  for (int i = 0; i < 60; ++i) {
    held.push_back(take(slots));
    paint(held.back(), kPicture, i);
  }
  GstCaps* caps = gst_caps_from_string(kPicture);
  std::vector<std::uint64_t> before;
  for (GstBuffer* one : held) before.push_back(hash_of(one, caps));
  for (int i = 0; i < 60; i += 2) EXPECT_EQ(gst_harness_push(harness_, gst_buffer_ref(held[i])), GST_FLOW_OK);
  for (int i = 1; i < 60; i += 2) EXPECT_EQ(gst_harness_push(harness_, gst_buffer_ref(held[i])), GST_FLOW_OK);
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(hash_of(held[i], caps), before[i]) << i;
  EXPECT_EQ(stat("published"), 60u);
  EXPECT_EQ(stat("heap-buffers"), 0u);
  for (GstBuffer* one : held) gst_buffer_unref(one);
  gst_caps_unref(caps);
  gst_object_unref(slots);
}

TEST_F(Pool, AcquiringWithoutWaitingSaysThatThereIsNoneWhereReadersHoldThem) {
  GstBufferPool* slots = pool();
  Watcher watcher(stream(), Watcher::lossless(), true);
  GstBufferPoolAcquireParams params{};
  params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  GstFlowReturn flow = GST_FLOW_OK;
  ASSERT_TRUE(reel_test::wait_until([&] {
    GstBuffer* buffer = nullptr;
    flow = gst_buffer_pool_acquire_buffer(slots, &buffer, &params);
    if (flow != GST_FLOW_OK) return true;
    return gst_harness_push(harness_, buffer) != GST_FLOW_OK;
  }));
  EXPECT_EQ(flow, GST_FLOW_EOS);
  EXPECT_FALSE(watcher.pictures().empty());
  gst_object_unref(slots);
}

TEST_F(Pool, AcquiringEndsWhenThePoolIsSetFlushingOrInactive) {
  GstBufferPool* slots = pool();
  Watcher watcher(stream(), Watcher::lossless(), true);
  std::atomic<int> pushed{0};
  std::atomic<GstFlowReturn> last{GST_FLOW_OK};
  std::thread filler([&] {
    for (;;) {
      GstBuffer* buffer = nullptr;
      last = gst_buffer_pool_acquire_buffer(slots, &buffer, nullptr);
      if (last != GST_FLOW_OK) return;
      (void)gst_harness_push(harness_, buffer);
      ++pushed;
    }
  });
  EXPECT_TRUE(reel_test::wait_until([&] { return stat("waits") > 0; }));
  gst_buffer_pool_set_active(slots, FALSE);
  filler.join();
  EXPECT_EQ(last, GST_FLOW_FLUSHING);
  gst_object_unref(slots);
}

TEST_F(Pool, BuffersAndPoolOutliveTheElementAndGoInAnotherThread) {
  GstBufferPool* slots = pool();
  GstQuery* query = ask("application/x-test");
  GstAllocator* allocator = nullptr;
  gst_query_parse_nth_allocation_param(query, 0, &allocator, nullptr);
  gst_query_unref(query);
  GstBuffer* published = take(slots);
  (void)gst_harness_push(harness_, gst_buffer_ref(published));
  GstBuffer* never = take(slots);
  GstBuffer* bytes = gst_buffer_new_allocate(allocator, 5000, nullptr);
  drop();
  EXPECT_FALSE(reel_test::mappings_of("reel." + stream()).empty()) << "still held";
  std::thread([&] {
    gst_buffer_memset(never, 0, 1, 100);
    gst_buffer_memset(bytes, 0, 1, 5000);
    GstBuffer* late = nullptr;  // of the heap: nobody is there to publish it
    EXPECT_EQ(gst_buffer_pool_acquire_buffer(slots, &late, nullptr), GST_FLOW_OK);
    gst_buffer_memset(late, 0, 1, 100);
    GstBuffer* more = gst_buffer_new_allocate(allocator, 5000, nullptr);
    gst_buffer_memset(more, 0, 1, 5000);
    for (GstBuffer* one : {late, more, never, bytes, published}) gst_buffer_unref(one);
    gst_buffer_pool_set_active(slots, FALSE);
    gst_object_unref(slots);
    gst_object_unref(allocator);
  }).join();
  EXPECT_TRUE(reel_test::mappings_of("reel." + stream()).empty());
}

// Whoever unlinks a branch goes on: a pool whose stream is closed is like any other.
TEST_F(Pool, BuffersOfAStreamThatWasClosedStillCarryPictures) {
  GstBufferPool* slots = pool();
  drop();
  GstBuffer* buffer = take(slots);
  paint(buffer, kPicture, 3);
  gst_buffer_unref(buffer);
  gst_object_unref(slots);
}

// Longer than the next writer of the name waits for whoever only tidies up.
TEST_F(Pool, TheNameIsFreeOnceItIsClosedThoughSomebodyLooksAtTheWriter) {
  const std::string name = stream() + "-alone";
  const auto slots = std::make_shared<reel::gst::StreamSlots>(std::make_shared<reel::FrameWriter>(name), 1);
  std::atomic<bool> inside{false}, closed{false};
  std::thread poller([&] {
    slots->look([&](const reel::FrameWriter&) {
      inside = true;
      for (int i = 0; i < 3 && !closed; ++i) g_usleep(100'000);
      if (closed) g_usleep(5'000'000);
    });
  });
  EXPECT_TRUE(reel_test::wait_until([&] { return inside.load(); }));
  slots->close();
  closed = true;
  EXPECT_NO_THROW(reel::FrameWriter next(name));
  poller.join();
}

}  // namespace
}  // namespace gstreamer_test
