// Reel's formats against GStreamer's own: layouts of every pixel format, and caps text in both directions.
#include <memory>
#include <string>

#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <reel/format/format.hpp>

// GLib gives up its table of quarks, on purpose, whenever the table grows.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libglib-2.0.so\n";
}

namespace reel {
namespace {

struct Free {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(char* text) const { g_free(text); }
};
using Caps = std::unique_ptr<GstCaps, Free>;

class AgainstGStreamer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  static Caps parsed(const std::string& text) { return Caps(gst_caps_from_string(text.c_str())); }
  static std::string text_of(const Caps& caps) {
    return std::unique_ptr<char, Free>(gst_caps_to_string(caps.get())).get();
  }
};

GstVideoFormat gst_format(PixelFormat format) {
  return gst_video_format_from_string(std::string(to_string(format)).c_str());
}

// Odd and even, around every rounding to 2, 4 and 8, and a few real ones.
constexpr guint kSizes[] = {1,  2,  3,  4,  5,   6,   7,   8,   9,   15,  16,  17,  31,   32,  33,
                            63, 64, 65, 99, 100, 101, 127, 240, 321, 480, 641, 719, 1080, 1921};

TEST_F(AgainstGStreamer, DefaultLayoutsAreTheSameInEverySize) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    for (const guint width : kSizes) {
      for (const guint height : kSizes) {
        SCOPED_TRACE(std::string(to_string(pixel)) + ' ' + std::to_string(width) + 'x' +
                     std::to_string(height));
        GstVideoInfo info;
        ASSERT_TRUE(gst_video_info_set_format(&info, gst_format(pixel), width, height));
        const VideoLayout layout = default_layout({pixel, width, height, {}});
        ASSERT_EQ(layout.plane_count, GST_VIDEO_INFO_N_PLANES(&info));
        ASSERT_EQ(layout.bytes, GST_VIDEO_INFO_SIZE(&info));
        for (guint i = 0; i < layout.plane_count; ++i) {
          ASSERT_EQ(layout.planes[i].offset_bytes, GST_VIDEO_INFO_PLANE_OFFSET(&info, i));
          ASSERT_EQ(layout.planes[i].stride_bytes, static_cast<guint>(GST_VIDEO_INFO_PLANE_STRIDE(&info, i)));
        }
      }
    }
  }
}

TEST_F(AgainstGStreamer, PlanesHaveTheRowsAndBytesOfTheirComponents) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    for (const guint width : kSizes) {
      for (const guint height : kSizes) {
        SCOPED_TRACE(std::string(to_string(pixel)) + ' ' + std::to_string(width) + 'x' +
                     std::to_string(height));
        GstVideoInfo info;
        ASSERT_TRUE(gst_video_info_set_format(&info, gst_format(pixel), width, height));
        const VideoLayout layout = default_layout({pixel, width, height, {}});
        for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
          const Plane& plane = layout.planes[static_cast<guint>(GST_VIDEO_INFO_COMP_PLANE(&info, c))];
          ASSERT_EQ(plane.rows, static_cast<guint>(GST_VIDEO_INFO_COMP_HEIGHT(&info, c)));
          const gint last_pixel = GST_VIDEO_INFO_COMP_WIDTH(&info, c) - 1;
          const gint end = last_pixel * GST_VIDEO_INFO_COMP_PSTRIDE(&info, c) +
                           GST_VIDEO_FORMAT_INFO_POFFSET(info.finfo, c) +
                           GST_VIDEO_FORMAT_INFO_DEPTH(info.finfo, c) / 8;
          ASSERT_GE(plane.row_bytes, static_cast<guint>(end));
        }
      }
    }
  }
}

TEST_F(AgainstGStreamer, VideoCapsAreUnderstood) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    const Format format = VideoFormat{pixel, 641, 479, {30000, 1001}};
    const Caps caps = parsed(format.caps());
    ASSERT_TRUE(caps) << format.caps();
    GstVideoInfo info;
    ASSERT_TRUE(gst_video_info_from_caps(&info, caps.get()));
    EXPECT_EQ(GST_VIDEO_INFO_FORMAT(&info), gst_format(pixel));
    EXPECT_EQ(GST_VIDEO_INFO_WIDTH(&info), 641);
    EXPECT_EQ(GST_VIDEO_INFO_HEIGHT(&info), 479);
    EXPECT_EQ(GST_VIDEO_INFO_FPS_N(&info), 30000);
    EXPECT_EQ(GST_VIDEO_INFO_FPS_D(&info), 1001);
    EXPECT_EQ(GST_VIDEO_INFO_SIZE(&info), format.frame_bytes());
    EXPECT_EQ(text_of(caps), format.caps());
  }
}

TEST_F(AgainstGStreamer, AudioCapsAreUnderstoodWithAnyNumberOfChannels) {
  for (const SampleFormat sample : {SampleFormat::S16LE, SampleFormat::S32LE, SampleFormat::F32LE}) {
    for (const std::uint32_t channels : {1u, 2u, 3u, 6u, 64u}) {
      const AudioFormat audio{sample, 44100, channels};
      const Caps caps = parsed(Format(audio).caps());
      ASSERT_TRUE(caps);
      GstAudioInfo info;
      ASSERT_TRUE(gst_audio_info_from_caps(&info, caps.get())) << Format(audio).caps();
      EXPECT_EQ(GST_AUDIO_INFO_NAME(&info), to_string(sample));
      EXPECT_EQ(GST_AUDIO_INFO_RATE(&info), 44100);
      EXPECT_EQ(GST_AUDIO_INFO_CHANNELS(&info), static_cast<gint>(channels));
      EXPECT_EQ(GST_AUDIO_INFO_BPF(&info), static_cast<gint>(sample_frame_bytes(audio)));
      EXPECT_EQ(text_of(caps), Format(audio).caps());
    }
  }
}

TEST_F(AgainstGStreamer, CapsThatItWritesAreRead) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    GstVideoInfo info;
    ASSERT_TRUE(gst_video_info_set_interlaced_format(&info, gst_format(pixel),
                                                     GST_VIDEO_INTERLACE_MODE_PROGRESSIVE, 321, 241));
    GST_VIDEO_INFO_FPS_N(&info) = 24;
    GST_VIDEO_INFO_FPS_D(&info) = 1;
    GST_VIDEO_INFO_CHROMA_SITE(&info) = GST_VIDEO_CHROMA_SITE_MPEG2;
    const std::string text = text_of(Caps(gst_video_info_to_caps(&info)));
    const Format format = Format::from_caps(text);
    ASSERT_NE(format.video(), nullptr) << text;
    EXPECT_EQ(*format.video(), (VideoFormat{pixel, 321, 241, {24, 1}}));
    EXPECT_EQ(format.caps(), text);
  }
  GstAudioInfo info;
  gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_F32LE, 48000, 6, nullptr);
  const Format format = Format::from_caps(text_of(Caps(gst_audio_info_to_caps(&info))));
  ASSERT_NE(format.audio(), nullptr);
  EXPECT_EQ(*format.audio(), (AudioFormat{SampleFormat::F32LE, 48000, 6}));
}

TEST_F(AgainstGStreamer, FieldsOfEveryKindAreReadAsItWritesThem) {
  const Caps caps(gst_caps_new_simple(
      "application/x-all", "title", G_TYPE_STRING, "a \"b\", c\\ ; (d) \xc3\xa9\n", "empty", G_TYPE_STRING,
      "", "double", G_TYPE_DOUBLE, -1.5e-7, "range", GST_TYPE_INT_RANGE, 1, 9, "fractions",
      GST_TYPE_FRACTION_RANGE, 0, 1, 60, 1, "mask", GST_TYPE_BITMASK, guint64{0xf0}, "on", G_TYPE_BOOLEAN,
      TRUE, "large", G_TYPE_INT64, gint64{-5}, nullptr));
  GValue list = G_VALUE_INIT, text = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_LIST);
  g_value_init(&text, G_TYPE_STRING);
  for (const char* item : {"one", "t}w,o", "\"three\""}) {
    g_value_set_string(&text, item);
    gst_value_list_append_value(&list, &text);
  }
  gst_caps_set_value(caps.get(), "list", &list);
  g_value_unset(&text);
  g_value_unset(&list);
  gst_caps_set_simple(caps.get(), "nested", GST_TYPE_CAPS, caps.get(), nullptr);
  gst_caps_set_features(caps.get(), 0, gst_caps_features_new("memory:DMABuf", "meta:Other", nullptr));

  const std::string written = text_of(caps);
  const Format format = Format::from_caps(written);
  EXPECT_EQ(format.kind(), MediaKind::bytes);
  EXPECT_EQ(format.caps(), written);
}

TEST_F(AgainstGStreamer, CodecDataIsReadAsItWritesIt) {
  const guint8 data[] = {1, 0x64, 0, 0x1f, 0xff};
  GstBuffer* buffer = gst_buffer_new_memdup(data, sizeof data);
  const Caps caps(gst_caps_new_simple("video/x-h264", "stream-format", G_TYPE_STRING, "avc", "codec_data",
                                      GST_TYPE_BUFFER, buffer, "width", G_TYPE_INT, 320, nullptr));
  gst_buffer_unref(buffer);
  const Format format = Format::from_caps(text_of(caps));
  ASSERT_NE(format.encoded(), nullptr);
  const auto bytes = std::as_bytes(std::span(data));
  EXPECT_EQ(format.encoded()->codec_data, std::vector<std::byte>(bytes.begin(), bytes.end()));
  EXPECT_EQ(format.caps(), "video/x-h264, stream-format=(string)avc, width=(int)320");
  EXPECT_TRUE(parsed(format.caps()));
}

TEST_F(AgainstGStreamer, EncodedCapsAreUnderstood) {
  for (const Codec codec : {Codec::h264, Codec::h265, Codec::jpeg, Codec::opus, Codec::aac}) {
    EncodedFormat encoded{.codec = codec, .width = 320, .height = 240, .fps = {25, 1}};
    EXPECT_EQ(text_of(parsed(Format(encoded).caps())), Format(encoded).caps());
    encoded.codec_data.resize(3);
    EXPECT_EQ(text_of(parsed(Format(encoded).caps())), Format(encoded).caps());
  }
}

}  // namespace
}  // namespace reel
