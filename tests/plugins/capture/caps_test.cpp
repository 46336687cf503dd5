#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>

namespace {

using namespace reel;

class Caps : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  static gst::Ptr<GstCaps> parse(const char* text) { return gst::Ptr<GstCaps>(gst_caps_from_string(text)); }
  /// There and back.
  static void expect_round_trip(const char* text) {
    const gst::Ptr<GstCaps> caps = parse(text);
    const gst::Ptr<GstCaps> back = gst::caps_from_format(gst::format_from_caps(caps.get()));
    EXPECT_TRUE(gst_caps_is_equal(caps.get(), back.get())) << gst::Text(gst_caps_to_string(back.get())).get();
  }
};

TEST_F(Caps, KeepsWhatReelDoesNotInterpret) {
  expect_round_trip(
      "video/x-raw, format=NV12, width=1920, height=1080, framerate=30/1, pixel-aspect-ratio=4/3, "
      "interlace-mode=progressive, colorimetry=bt709");
  expect_round_trip(
      "audio/x-raw, format=S16LE, layout=interleaved, rate=48000, channels=2, channel-mask=(bitmask)0x3");
  expect_round_trip("application/x-rtp, media=video, clock-rate=90000");
}

TEST_F(Caps, CarriesCodecDataBesideTheText) {
  const gst::Ptr<GstCaps> caps = parse(
      "video/x-h264, stream-format=avc, alignment=au, width=16, height=16, framerate=30/1, "
      "codec_data=(buffer)0164001f");
  const Format format = gst::format_from_caps(caps.get());
  ASSERT_NE(format.encoded(), nullptr);
  EXPECT_EQ(format.encoded()->codec, Codec::h264);
  EXPECT_EQ(format.encoded()->codec_data.size(), 4U);
  EXPECT_EQ(format.caps().find("codec_data"), std::string::npos);
  EXPECT_NE(format.caps().find("avc"), std::string::npos);
  expect_round_trip(
      "video/x-h264, stream-format=avc, alignment=au, width=16, height=16, framerate=30/1, "
      "codec_data=(buffer)0164001f");
}

TEST_F(Caps, CarriesOpusHeadAndMakesTheHeadersThatDecodersWant) {
  const gst::Ptr<GstCaps> caps = parse(
      "audio/x-opus, rate=48000, channels=2, channel-mapping-family=0, "
      "streamheader=(buffer)< 4f70757348656164, 4f70757354616773 >");
  const Format format = gst::format_from_caps(caps.get());
  ASSERT_NE(format.encoded(), nullptr);
  EXPECT_EQ(format.encoded()->codec_data.size(), 8U);
  const gst::Ptr<GstCaps> back = gst::caps_from_format(format);
  const GValue* headers = gst_structure_get_value(gst_caps_get_structure(back.get(), 0), "streamheader");
  ASSERT_NE(headers, nullptr);
  EXPECT_EQ(gst_value_array_get_size(headers), 2U);
}

TEST_F(Caps, CarriesEveryStreamHeaderOfMediaThatReelHasNoNameFor) {
  expect_round_trip("audio/x-vorbis, rate=48000, channels=2, streamheader=(buffer)< 01, 0203, 040506 >");
  expect_round_trip("video/x-theora, width=16, height=16, streamheader=(buffer)< 8074, 8174, 8274 >");
  expect_round_trip("audio/x-flac, framed=true, streamheader=(buffer)< 7f464c4143 >");
  expect_round_trip("video/x-av1, stream-format=obu-stream, codec_data=(buffer)810c");
  expect_round_trip(
      "audio/x-opus, rate=48000, channels=2, channel-mapping-family=0, "
      "streamheader=(buffer)< 4f70757348656164, 4f7075735461677301 >");
}

TEST_F(Caps, KeepsFeaturesThatAreNotOfMemory) {
  expect_round_trip(
      "video/x-raw(format:Interlaced), format=NV12, width=16, height=16, framerate=30/1, "
      "interlace-mode=alternate");
  expect_round_trip(
      "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=NV12, width=16, height=16, "
      "framerate=30/1");
}

TEST_F(Caps, RefusesMemoryThatTheProcessorCannotMapAndNamesIt) {
  for (const char* feature : {"memory:GLMemory", "memory:DMABuf", "memory:NVMM"}) {
    const std::string text = std::string("video/x-raw(") + feature + "), format=NV12, width=16, height=16";
    try {
      static_cast<void>(gst::format_from_caps(parse(text.c_str()).get()));
      ADD_FAILURE() << feature << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported);
      EXPECT_NE(std::string(error.what()).find(feature), std::string::npos) << error.what();
    }
    EXPECT_THROW(static_cast<void>(gst::caps_from_format(Format::from_caps(text))), Error) << "from a peer";
  }
}

TEST_F(Caps, OfOtherMemoryAreLeftOutOfWhatASinkOffers) {
  const gst::Ptr<GstCaps> offered = gst::without_other_memory(
      parse("video/x-raw(memory:GLMemory), format=RGBA; video/x-raw, format=NV12; "
            "video/x-raw(memory:DMABuf); video/x-raw(meta:GstVideoOverlayComposition)")
          .get());
  EXPECT_TRUE(gst_caps_is_strictly_equal(
      offered.get(), parse("video/x-raw, format=NV12; video/x-raw(meta:GstVideoOverlayComposition)").get()))
      << gst::Text(gst_caps_to_string(offered.get())).get();
  EXPECT_TRUE(gst_caps_is_any(gst::without_other_memory(gst::Ptr<GstCaps>(gst_caps_new_any()).get()).get()));
}

TEST_F(Caps, RefusesCapsThatAreNotFixed) {
  const gst::Ptr<GstCaps> caps = parse("video/x-raw, format={NV12, I420}, width=16, height=16");
  EXPECT_THROW(static_cast<void>(gst::format_from_caps(caps.get())), Error);
}

}  // namespace
