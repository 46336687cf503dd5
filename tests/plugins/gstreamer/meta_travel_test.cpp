// Buffers with metas through a stream and back: what each says must be what went in.
#include <algorithm>
#include <array>
#include <span>

#include <gmock/gmock.h>
#include <gst/audio/audio.h>
#include <gst/video/video-sei.h>
#include <gst/video/video.h>
#include <reel_test/runtime_dir.hpp>

#include "loop.hpp"
#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

constexpr const char* kNv12 = "video/x-raw,format=NV12,width=16,height=8,framerate=30/1";
constexpr std::size_t kNv12Bytes = 16 * 8 * 3 / 2;

class MetaTravel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { set_up(); }
  /// One buffer through a stream of `caps`.
  GstBuffer* pass(Ptr<GstBuffer> buffer, const std::string& caps = kNv12, const std::string& sink = {}) {
    collector_ = std::make_unique<Collector>(stream_);
    feeder_ = std::make_unique<Feeder>(stream_, "wait-for-readers=1 " + sink);
    EXPECT_TRUE(feeder_->begin(caps)) << feeder_->error();
    EXPECT_EQ(feeder_->push(std::move(buffer)), GST_FLOW_OK) << feeder_->error();
    EXPECT_TRUE(collector_->wait_for_buffers(1));
    const auto all = collector_->buffers();
    return all.empty() ? nullptr : all.front();
  }
  /// How many metas of the type the sink could not send; the whole when `type` is empty.
  [[nodiscard]] guint64 lost(const std::string& type = {}) const {
    GstStructure* stats = feeder_->stats();
    guint64 number = 0;
    if (type.empty()) {
      gst_structure_get_uint64(stats, "metas-lost", &number);
    } else {
      const GValue* by_type = gst_structure_get_value(stats, "metas-lost-by-type");
      gst_structure_get_uint64(gst_value_get_structure(by_type), type.c_str(), &number);
    }
    gst_structure_free(stats);
    return number;
  }
  static GstCustomMeta* add_custom(GstBuffer* buffer, const char* name) {
    static const gchar* no_tags[] = {nullptr};
    if (gst_meta_get_info(name) == nullptr)
      gst_meta_register_custom(name, no_tags, nullptr, nullptr, nullptr);
    return gst_buffer_add_custom_meta(buffer, name);
  }

  reel_test::TempRuntimeDir runtime_;
  const std::string stream_ = reel_test::unique_name("meta");
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Feeder> feeder_;
};

TEST_F(MetaTravel, EveryFieldAndFlagOfABufferArrives) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  GST_BUFFER_PTS(buffer.get()) = 40 * GST_MSECOND;
  GST_BUFFER_DTS(buffer.get()) = 20 * GST_MSECOND;
  GST_BUFFER_DURATION(buffer.get()) = 33 * GST_MSECOND;
  GST_BUFFER_OFFSET(buffer.get()) = 7;
  GST_BUFFER_OFFSET_END(buffer.get()) = 9;
  const guint flags =
      GST_BUFFER_FLAG_LIVE | GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_CORRUPTED |
      GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE |
      GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_SYNC_AFTER | GST_BUFFER_FLAG_DECODE_ONLY |
      GST_BUFFER_FLAG_NON_DROPPABLE | GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF |
      GST_VIDEO_BUFFER_FLAG_RFF | GST_VIDEO_BUFFER_FLAG_ONEFIELD | (1u << 31);
  GST_BUFFER_FLAG_SET(buffer.get(), flags);
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(GST_BUFFER_DTS(got) + 20 * GST_MSECOND, GST_BUFFER_PTS(got)) << "the distance is kept";
  EXPECT_EQ(GST_BUFFER_DURATION(got), 33 * GST_MSECOND);
  EXPECT_EQ(GST_BUFFER_OFFSET(got), 7U);
  EXPECT_EQ(GST_BUFFER_OFFSET_END(got), 9U);
  EXPECT_EQ(GST_BUFFER_FLAGS(got) & ~static_cast<guint>(GST_BUFFER_FLAG_TAG_MEMORY), flags);
  const GstVideoMeta* video = gst_buffer_get_video_meta(got);
  ASSERT_NE(video, nullptr);
  EXPECT_EQ(video->flags, GST_VIDEO_FRAME_FLAG_INTERLACED | GST_VIDEO_FRAME_FLAG_TFF |
                              GST_VIDEO_FRAME_FLAG_RFF | GST_VIDEO_FRAME_FLAG_ONEFIELD);
}

// Planes where the caps say they are need no GstVideoMeta.
TEST_F(MetaTravel, ABufferWithoutMetasHasNoneButItsCaptureTime) {
  GstBuffer* const got = pass(counting(kNv12Bytes));
  ASSERT_NE(got, nullptr);
  std::vector<std::string> metas;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(got, &state))
    metas.emplace_back(g_type_name(meta->info->api));
  EXPECT_THAT(metas, ::testing::ElementsAre("GstReferenceTimestampMetaAPI"));
  EXPECT_EQ(lost(), 0U);
}

TEST_F(MetaTravel, ABufferWithoutAnOffsetIsNumberedByItsPlaceInTheStream) {
  GstBuffer* const got = pass(counting(kNv12Bytes));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(GST_BUFFER_OFFSET(got), 1U);
  EXPECT_EQ(GST_BUFFER_OFFSET_END(got), GST_BUFFER_OFFSET_NONE);
}

TEST_F(MetaTravel, ReferenceTimestampsOfEveryKindArriveWithTheirDurations) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  const Ptr<GstCaps> ntp(gst_caps_from_string("timestamp/x-ntp"));
  const Ptr<GstCaps> ptp(
      gst_caps_from_string("timestamp/x-ptp, version=(string)IEEE1588-2008, domain=(int)3"));
  gst_buffer_add_reference_timestamp_meta(buffer.get(), ntp.get(), 111, 5);
  gst_buffer_add_reference_timestamp_meta(buffer.get(), ptp.get(), 222, GST_CLOCK_TIME_NONE);
  const Ptr<GstCaps> monotonic(gst_caps_from_string("timestamp/x-clock-monotonic"));
  gst_buffer_add_reference_timestamp_meta(buffer.get(), monotonic.get(), 333, GST_CLOCK_TIME_NONE);
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  const auto of = [&](const Ptr<GstCaps>& caps) {
    return gst_buffer_get_reference_timestamp_meta(got, caps.get());
  };
  ASSERT_TRUE(of(ntp) && of(ptp) && of(monotonic));
  EXPECT_EQ(of(ntp)->timestamp, 111U);
  EXPECT_EQ(of(ntp)->duration, 5U);
  EXPECT_EQ(of(ptp)->timestamp, 222U);
  EXPECT_EQ(of(ptp)->duration, GST_CLOCK_TIME_NONE);
  EXPECT_TRUE(gst_caps_is_equal(of(ptp)->reference, ptp.get()));
  EXPECT_EQ(of(monotonic)->timestamp, 333U) << "not the time of its presentation";
  EXPECT_EQ(gst_buffer_get_n_meta(got, GST_REFERENCE_TIMESTAMP_META_API_TYPE), 3U);
}

TEST_F(MetaTravel, ACustomMetaArrivesWithItsFields) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  GstCustomMeta* meta = add_custom(buffer.get(), "ReelTestTelemetry");
  gst_structure_set(gst_custom_meta_get_structure(meta), "speed", G_TYPE_DOUBLE, 0.1, "name", G_TYPE_STRING,
                    "a \"quoted\" name; with = and , and \\", "count", G_TYPE_INT, -3, nullptr);
  const GstStructure* sent = gst_custom_meta_get_structure(meta);
  GstStructure* expected = gst_structure_copy(sent);
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  GstCustomMeta* there = gst_buffer_get_custom_meta(got, "ReelTestTelemetry");
  ASSERT_NE(there, nullptr);
  EXPECT_TRUE(gst_structure_is_equal(gst_custom_meta_get_structure(there), expected));
  gst_structure_free(expected);
}

TEST_F(MetaTravel, AMegabyteInACustomMetaSurvivesByteForByte) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  constexpr gsize kBig = 1u << 20;
  GstCustomMeta* meta = add_custom(buffer.get(), "ReelTestBig");
  const Ptr<GstBuffer> big = counting(kBig, 5);
  const std::string other(300'000, '\xC3');
  GBytes* bytes = g_bytes_new(other.data(), other.size());
  gst_structure_set(gst_custom_meta_get_structure(meta), "buffer", GST_TYPE_BUFFER, big.get(), "bytes",
                    G_TYPE_BYTES, bytes, "id", G_TYPE_INT, 4, nullptr);
  g_bytes_unref(bytes);
  GstBuffer* const got = pass(std::move(buffer), kNv12, "side-data-bytes=1400000");
  ASSERT_NE(got, nullptr);
  GstCustomMeta* there = gst_buffer_get_custom_meta(got, "ReelTestBig");
  ASSERT_NE(there, nullptr);
  const GstStructure* fields = gst_custom_meta_get_structure(there);
  GstBuffer* came = gst_value_get_buffer(gst_structure_get_value(fields, "buffer"));
  EXPECT_EQ(bytes_of(came), bytes_of(big.get()));
  gsize size = 0;
  const void* data = g_bytes_get_data(
      static_cast<GBytes*>(g_value_get_boxed(gst_structure_get_value(fields, "bytes"))), &size);
  EXPECT_EQ(std::string(static_cast<const char*>(data), size), other);
  gint id = 0;
  EXPECT_TRUE(gst_structure_get_int(fields, "id", &id) && id == 4);
  EXPECT_EQ(lost(), 0U);
}

TEST_F(MetaTravel, WhatFindsNoRoomOrHasNoBytesIsCountedByItsType) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  for (int i = 0; i < 2; ++i) {
    const Ptr<GstBuffer> big = counting(100'000);
    gst_structure_set(gst_custom_meta_get_structure(add_custom(buffer.get(), "ReelTestBig")), "buffer",
                      GST_TYPE_BUFFER, big.get(), nullptr);
  }
  gst_structure_set(gst_custom_meta_get_structure(add_custom(buffer.get(), "ReelTestPointer")), "at",
                    G_TYPE_POINTER, &runtime_, nullptr);
  GstVideoOverlayComposition* overlay = gst_video_overlay_composition_new(nullptr);
  gst_buffer_add_video_overlay_composition_meta(buffer.get(), overlay);
  gst_video_overlay_composition_unref(overlay);
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(bytes_of(got), bytes_of(counting(kNv12Bytes).get())) << "the picture came all the same";
  EXPECT_EQ(lost("ReelTestBig"), 2U);
  EXPECT_EQ(lost("ReelTestPointer"), 1U);
  EXPECT_EQ(lost("GstVideoOverlayCompositionMetaAPI"), 1U);
  EXPECT_EQ(lost(), 4U);
}

TEST_F(MetaTravel, CaptionsTimeCodesAndOtherSmallMetasArrive) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  const std::array<guint8, 6> caption{0x96, 0x69, 1, 2, 3, 4};
  gst_buffer_add_video_caption_meta(buffer.get(), GST_VIDEO_CAPTION_TYPE_CEA708_CDP, caption.data(),
                                    caption.size());
  GDateTime* jam = g_date_time_new_utc(2026, 11, 21, 0, 0, 0);
  GstVideoTimeCode* code =
      gst_video_time_code_new(30000, 1001, jam, GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME, 1, 2, 3, 4, 0);
  g_date_time_unref(jam);
  gst_buffer_add_video_time_code_meta(buffer.get(), code);
  gst_buffer_add_video_afd_meta(buffer.get(), 1, GST_VIDEO_AFD_SPEC_ATSC_A53,
                                GST_VIDEO_AFD_4_3_FULL_16_9_FULL);
  gst_buffer_add_video_bar_meta(buffer.get(), 0, TRUE, 7, 9);
  gst_buffer_add_video_affine_transformation_meta(buffer.get())->matrix[3] = 0.3F;
  std::array<guint8, 16> uuid{1, 2, 3};
  std::array<guint8, 3> message{7, 8, 9};
  gst_buffer_add_video_sei_user_data_unregistered_meta(buffer.get(), uuid.data(), message.data(),
                                                       message.size());
  gst_buffer_add_audio_clipping_meta(buffer.get(), GST_FORMAT_DEFAULT, 312, 5);
  gst_buffer_add_audio_level_meta(buffer.get(), 99, TRUE);
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(lost(), 0U);

  const GstVideoCaptionMeta* said = gst_buffer_get_video_caption_meta(got);
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->caption_type, GST_VIDEO_CAPTION_TYPE_CEA708_CDP);
  EXPECT_TRUE(std::ranges::equal(std::span(said->data, said->size), caption));
  const GstVideoTimeCodeMeta* time = gst_buffer_get_video_time_code_meta(got);
  ASSERT_NE(time, nullptr);
  EXPECT_EQ(gst_video_time_code_compare(&time->tc, code), 0);
  EXPECT_EQ(time->tc.config.fps_n, 30000U);
  EXPECT_EQ(time->tc.config.flags, GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME);
  gst_video_time_code_free(code);
  const auto* afd = reinterpret_cast<GstVideoAFDMeta*>(gst_buffer_get_meta(got, GST_VIDEO_AFD_META_API_TYPE));
  ASSERT_NE(afd, nullptr);
  EXPECT_EQ(afd->afd, GST_VIDEO_AFD_4_3_FULL_16_9_FULL);
  const auto* bar = reinterpret_cast<GstVideoBarMeta*>(gst_buffer_get_meta(got, GST_VIDEO_BAR_META_API_TYPE));
  ASSERT_NE(bar, nullptr);
  EXPECT_TRUE(bar->is_letterbox && bar->bar_data1 == 7 && bar->bar_data2 == 9);
  const auto* affine = reinterpret_cast<GstVideoAffineTransformationMeta*>(
      gst_buffer_get_meta(got, GST_VIDEO_AFFINE_TRANSFORMATION_META_API_TYPE));
  ASSERT_NE(affine, nullptr);
  EXPECT_EQ(affine->matrix[3], 0.3F);
  const auto* sei = gst_buffer_get_video_sei_user_data_unregistered_meta(got);
  ASSERT_NE(sei, nullptr);
  EXPECT_TRUE(std::ranges::equal(std::span(sei->data, sei->size), message) && sei->uuid[2] == 3);
  const GstAudioClippingMeta* clipping = gst_buffer_get_audio_clipping_meta(got);
  ASSERT_NE(clipping, nullptr);
  EXPECT_TRUE(clipping->format == GST_FORMAT_DEFAULT && clipping->start == 312 && clipping->end == 5);
  const GstAudioLevelMeta* level = gst_buffer_get_audio_level_meta(got);
  ASSERT_NE(level, nullptr);
  EXPECT_TRUE(level->level == 99 && level->voice_activity);
}

TEST_F(MetaTravel, AProtectionMetaArrives) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  const Ptr<GstBuffer> iv = counting(16, 3);
  gst_buffer_add_protection_meta(
      buffer.get(), gst_structure_new("application/x-cenc", "iv", GST_TYPE_BUFFER, iv.get(), "iv_size",
                                      G_TYPE_UINT, 16, nullptr));
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  const GstProtectionMeta* there = gst_buffer_get_protection_meta(got);
  ASSERT_NE(there, nullptr);
  EXPECT_TRUE(gst_structure_has_name(there->info, "application/x-cenc"));
  EXPECT_EQ(bytes_of(gst_value_get_buffer(gst_structure_get_value(there->info, "iv"))), bytes_of(iv.get()));
}

TEST_F(MetaTravel, ACropToAnotherSizeThanTheCapsTravelsBesideTheWholePicture) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 3;
  crop->y = 2;
  crop->width = 9;
  crop->height = 5;
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(gst_buffer_get_size(got), kNv12Bytes) << "the whole picture";
  const GstVideoCropMeta* there = gst_buffer_get_video_crop_meta(got);
  ASSERT_NE(there, nullptr);
  EXPECT_EQ(there->x, 3U);
  EXPECT_EQ(there->y, 2U);
  EXPECT_EQ(there->width, 9U);
  EXPECT_EQ(there->height, 5U);
}

TEST_F(MetaTravel, ACropOutsideOfThePictureIsCountedNotSent) {
  Ptr<GstBuffer> buffer = counting(kNv12Bytes);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 8;
  crop->width = 9;
  crop->height = 8;
  GstBuffer* const got = pass(std::move(buffer));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(gst_buffer_get_video_crop_meta(got), nullptr);
  EXPECT_EQ(lost("GstVideoCropMetaAPI"), 1U);
}

TEST_F(MetaTravel, PlanesOfAPixelFormatThatReelHasNoNameForArriveInTheLayoutOfTheirCaps) {
  // Y42B, 16 x 4, in two memories, padded.
  Ptr<GstBuffer> buffer = counting(20 * 4);
  gst_buffer_append_memory(buffer.get(), gst_buffer_get_all_memory(counting(2 * 12 * 4, 100).get()));
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0, 80, 80 + 48, 0};
  gint strides[GST_VIDEO_MAX_PLANES] = {20, 12, 12, 0};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_TFF, GST_VIDEO_FORMAT_Y42B, 16, 4, 3,
                                 offsets, strides);
  GstBuffer* const got = pass(std::move(buffer), "video/x-raw,format=Y42B,width=16,height=4,framerate=30/1");
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(gst_buffer_get_video_meta(got), nullptr);
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_Y42B, 16, 4);
  GstVideoFrame frame;
  ASSERT_TRUE(gst_video_frame_map(&frame, &info, got, GST_MAP_READ));
  EXPECT_EQ(static_cast<const guint8*>(
                GST_VIDEO_FRAME_PLANE_DATA(&frame, 2))[GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 2)],
            100 + 48 + 12);
  gst_video_frame_unmap(&frame);
}

TEST_F(MetaTravel, SoundInPlanesArrivesWithItsPlanes) {
  Ptr<GstBuffer> buffer = counting(2 * 100 * 4 + 16);
  GstAudioInfo info;
  gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_F32LE, 48000, 2, nullptr);
  info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  gsize offsets[] = {408, 4};
  gst_buffer_add_audio_meta(buffer.get(), &info, 100, offsets);
  GstBuffer* const got = pass(std::move(buffer),
                              "audio/x-raw,format=F32LE,layout=non-interleaved,rate=48000,channels=2,"
                              "channel-mask=(bitmask)0x3");
  ASSERT_NE(got, nullptr);
  const GstAudioMeta* there = gst_buffer_get_audio_meta(got);
  ASSERT_NE(there, nullptr);
  EXPECT_EQ(there->samples, 100U);
  EXPECT_EQ(there->offsets[0], 408U);
  EXPECT_EQ(there->offsets[1], 4U);
  EXPECT_EQ(GST_AUDIO_INFO_LAYOUT(&there->info), GST_AUDIO_LAYOUT_NON_INTERLEAVED);
}

TEST_F(MetaTravel, InterleavedSoundWithUnusedBytesKeepsItsNumberOfSamples) {
  Ptr<GstBuffer> buffer = counting(100 * 4 + 16);
  GstAudioInfo info;
  gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_S16LE, 48000, 2, nullptr);
  gst_buffer_add_audio_meta(buffer.get(), &info, 100, nullptr);
  GstBuffer* const got =
      pass(std::move(buffer), "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=2");
  ASSERT_NE(got, nullptr);
  const GstAudioMeta* there = gst_buffer_get_audio_meta(got);
  ASSERT_NE(there, nullptr);
  EXPECT_EQ(there->samples, 100U);
}

TEST_F(MetaTravel, EmptyBuffersArriveAsBuffersAndEmptyPicturesAsGaps) {
  GstBuffer* const got = pass(Ptr<GstBuffer>(gst_buffer_new()), "application/x-anything");
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(gst_buffer_get_size(got), 0U);
  collector_.reset();
  feeder_.reset();

  collector_ = std::make_unique<Collector>(stream_);
  feeder_ = std::make_unique<Feeder>(stream_, "wait-for-readers=1");
  ASSERT_TRUE(feeder_->begin(kNv12));
  Ptr<GstBuffer> empty(gst_buffer_new());
  GST_BUFFER_PTS(empty.get()) = GST_SECOND;
  GST_BUFFER_DURATION(empty.get()) = GST_MSECOND;
  EXPECT_EQ(feeder_->push(counting(kNv12Bytes)), GST_FLOW_OK);
  EXPECT_EQ(feeder_->push(std::move(empty)), GST_FLOW_OK) << feeder_->error();
  EXPECT_EQ(feeder_->push(counting(kNv12Bytes)), GST_FLOW_OK);
  ASSERT_TRUE(collector_->wait_for_buffers(2));
  ASSERT_EQ(collector_->events(GST_EVENT_GAP).size(), 1U);
}

}  // namespace
}  // namespace gstreamer_test
