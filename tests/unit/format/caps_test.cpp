#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/format/format.hpp>

namespace reel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The whole message of the error that `caps` causes, or "" when it is accepted.
std::string refusal(std::string_view caps) {
  try {
    (void)Format::from_caps(caps);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "";
}

MediaKind kind_of(std::string_view caps) {
  return Format::from_caps(caps).kind();
}

TEST(Caps, OfEveryFormatComeBackAsTheSameFormat) {
  std::vector<Format> formats{Format()};
  for (const PixelFormat pixel : all_pixel_formats()) {
    formats.push_back(VideoFormat{pixel, 1920, 1080, {30000, 1001}});
    formats.push_back(VideoFormat{pixel, 1, kMaxVideoSize, {}});
  }
  for (const SampleFormat sample : {SampleFormat::S16LE, SampleFormat::S32LE, SampleFormat::F32LE}) {
    formats.push_back(AudioFormat{sample, 48000, 1});
    formats.push_back(AudioFormat{sample, 768000, 64});
  }
  for (const Codec codec : {Codec::h264, Codec::h265, Codec::jpeg})
    formats.push_back(EncodedFormat{.codec = codec, .width = 640, .height = 480, .fps = {25, 1}});
  for (const Codec codec : {Codec::opus, Codec::aac})
    formats.push_back(EncodedFormat{.codec = codec, .rate_hz = 48000, .channels = 2});
  for (const Format& format : formats) EXPECT_EQ(Format::from_caps(format.caps()), format) << format.caps();
}

TEST(Caps, AreReadTypedOrNotSpacedOrNotQuotedOrNot) {
  const VideoFormat expected{PixelFormat::NV12, 1920, 1080, {30, 1}};
  for (const char* caps : {
           "video/x-raw, format=(string)NV12, width=(int)1920, height=(int)1080, framerate=(fraction)30/1",
           "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1",
           "  video/x-raw , format = ( string ) \"NV12\" , width = (i) 1920,height=( gint )1080,framerate=30 "
           "; ",
           R"(video/x-raw, format="\N\V12", width=1920, height=1080, framerate=(fraction)30/1)",
           R"(video/x-raw, format="\116V12", width=1920, height=1080, framerate=(GstFraction)30/1)",
       }) {
    const Format format = Format::from_caps(caps);
    ASSERT_NE(format.video(), nullptr) << caps;
    EXPECT_EQ(*format.video(), expected) << caps;
  }
}

TEST(Caps, KeepWhatReelDoesNotInterpret) {
  for (
      const char* caps : {
          "video/x-raw, format=(string)I420, width=(int)320, height=(int)240, "
          "interlace-mode=(string)progressive, "
          "multiview-mode=(string)mono, "
          "multiview-flags=(GstVideoMultiviewFlagsSet)0:ffffffff:/right-view-first, "
          "pixel-aspect-ratio=(fraction)1/1, chroma-site=(string)mpeg2, colorimetry=(string)1:4:0:0, "
          "framerate=(fraction)30000/1001",
          "video/x-raw(memory:DMABuf), format=(string)I420, width=(int)320, height=(int)240, "
          "framerate=(fraction)30000/1001",
          "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=(string)I420, "
          "width=(int)320, height=(int)240, framerate=(fraction)30000/1001",
          R"x(video/x-raw, format=(string)I420, title=(string)"a\ b\,\ \"c\"\ \(\[", width=(int)320, )x"
          R"x(height=(int)240, framerate=(fraction)30000/1001, list=(int){ 1, 2 }, range=(double)[ 0.5, 2 ], )x"
          R"x(nested=(GstValueArray)< < "}" >, { [ 1, 2 ] } >, empty=(string)"")x",
      }) {
    const Format format = Format::from_caps(caps);
    ASSERT_NE(format.video(), nullptr) << caps;
    EXPECT_EQ(*format.video(), (VideoFormat{PixelFormat::I420, 320, 240, {30000, 1001}}));
    EXPECT_EQ(format.caps(), caps);
    EXPECT_EQ(Format::from_caps(format.caps()), format);
  }
}

TEST(Caps, OfUnknownMediaAreOpaqueBytesWithTheirText) {
  for (const char* caps :
       {"application/x-detections, version=(int)2", "text/x-raw, format=(string)utf8",
        "application/x-rtp, media=(string)video, payload=(int)[ 96, 127 ]",
        "video/x-vp9, codec_data=(buffer)00ff", "meta/x-klv",
        "video/x-raw, format=(string)P010_10LE, width=(int)64, height=(int)64",
        "video/x-raw, format=(string)NV12, interlace-mode=(string)alternate, "
        "width=(int)64, height=(int)64",
        "audio/x-raw, format=(string)U8, rate=(int)8000, channels=(int)1",
        "audio/x-raw, format=(string)S16LE, layout=(string)non-interleaved, rate=(int)8000, "
        "channels=(int)2",
        "audio/mpeg, mpegversion=(int)1, layer=(int)3", "audio/mpeg",
        "video/x-h264, stream-format=(string)avc, alignment=(string)nal, "
        "codec_data=(buffer)01"}) {
    const Format format = Format::from_caps(caps);
    EXPECT_EQ(format.kind(), MediaKind::bytes) << caps;
    EXPECT_EQ(format.caps(), caps);
  }
}

TEST(Caps, OfEncodedMediaGiveUpTheirCodecData) {
  const Format format = Format::from_caps(
      "video/x-h264, stream-format=(string)avc, alignment=(string)au, codec_data=(buffer)0164001fFFE1, "
      "level=(string)3.1, width=(int)1280, height=(int)720, framerate=(fraction)25/1");
  ASSERT_NE(format.encoded(), nullptr);
  EXPECT_EQ(format.encoded()->codec, Codec::h264);
  EXPECT_EQ(format.encoded()->width, 1280u);
  EXPECT_EQ(format.encoded()->height, 720u);
  EXPECT_EQ(format.encoded()->fps, (Fraction{25, 1}));
  EXPECT_THAT(format.encoded()->codec_data,
              ::testing::ElementsAre(std::byte{1}, std::byte{0x64}, std::byte{0}, std::byte{0x1f},
                                     std::byte{0xff}, std::byte{0xe1}));
  EXPECT_EQ(format.caps(),
            "video/x-h264, stream-format=(string)avc, alignment=(string)au, level=(string)3.1, "
            "width=(int)1280, height=(int)720, framerate=(fraction)25/1");
}

TEST(Caps, OfEncodedMediaNeedNoSizes) {
  EXPECT_EQ(kind_of("video/x-h265"), MediaKind::encoded);
  EXPECT_EQ(kind_of("image/jpeg"), MediaKind::encoded);
  EXPECT_EQ(kind_of("audio/x-opus, streamheader=(buffer)< 4f70, 4f71 >"), MediaKind::encoded);
  const Format aac = Format::from_caps("audio/mpeg, mpegversion=(int)4, rate=(int)44100, channels=(int)1");
  ASSERT_NE(aac.encoded(), nullptr);
  EXPECT_EQ(aac.encoded()->codec, Codec::aac);
  EXPECT_EQ(aac.encoded()->rate_hz, 44100u);
  EXPECT_EQ(aac.encoded()->channels, 1u);
}

TEST(Caps, AreRefusedWithoutAFieldThatTheirTypeNeeds) {
  EXPECT_THAT(refusal("video/x-raw"), HasSubstr("video/x-raw needs the field 'format'"));
  EXPECT_THAT(refusal("video/x-raw, format=NV12, height=2"), HasSubstr("needs the field 'width'"));
  EXPECT_THAT(refusal("video/x-raw, format=NV12, width=2"), HasSubstr("needs the field 'height'"));
  EXPECT_THAT(refusal("audio/x-raw, format=S16LE, channels=2"), HasSubstr("needs the field 'rate'"));
  EXPECT_THAT(refusal("audio/x-raw, format=S16LE, rate=2"), HasSubstr("needs the field 'channels'"));
  EXPECT_THAT(refusal("audio/x-raw, rate=2, channels=1"), HasSubstr("needs the field 'format'"));
}

TEST(Caps, AreRefusedWithTheFieldAndItsLimits) {
  const auto video = [](std::string_view width, std::string_view fps = "30/1") {
    return refusal("video/x-raw, format=NV12, height=2, width=" + std::string(width) +
                   ", framerate=" + std::string(fps));
  };
  EXPECT_EQ(video("(int)2"), "");
  for (const char* bad : {"0", "-1", "32769", "4294967296", "99999999999999999999", "1e3", "0x10", "2.0",
                          "two", "\"\"", "(string)2", "(int)[ 1, 100 ]", "{ 1, 2 }", "+2"}) {
    EXPECT_THAT(video(bad), AllOf(HasSubstr("field 'width' is "), HasSubstr("an int from 1 to 32768")))
        << bad;
  }
  EXPECT_EQ(video("2", "0/1"), "");
  EXPECT_EQ(video("2", "2147483647/2147483647"), "");
  for (const char* bad : {"30/0", "-30/1", "30/-1", "30/", "/1", "30/1/1", "2147483648/1", "29.97",
                          "[ 0/1, 30/1 ]", "(string)30/1", "/"}) {
    EXPECT_THAT(video("2", bad), AllOf(HasSubstr("field 'framerate' is "), HasSubstr("a fraction of ints")))
        << bad;
  }
  const auto audio = [](std::string_view rate, std::string_view channels) {
    return refusal("audio/x-raw, format=S16LE, rate=" + std::string(rate) +
                   ", channels=" + std::string(channels));
  };
  EXPECT_EQ(audio("768000", "64"), "");
  EXPECT_THAT(audio("768001", "1"), HasSubstr("an int from 1 to 768000"));
  EXPECT_THAT(audio("1", "65"), HasSubstr("an int from 1 to 64"));
  EXPECT_THAT(audio("1", "0"), HasSubstr("field 'channels' is 0"));
}

TEST(Caps, AreRefusedWhenTheyAreNoCaps) {
  for (const char* caps : {"", " ", ";", "ANY", "EMPTY", "NONE", "video", "video/", "/x-raw", "3d/mesh",
                           ", a=1", "video x-raw", "(memory:DMABuf)"})
    EXPECT_THAT(refusal(caps), HasSubstr("does not begin with a media type")) << caps;
  for (const char* caps : {"a/b,", "a/b, ", "a/b, c", "a/b, c=1,", "a/b, =1", "a/b,, c=1", "a/b, (int)c=1"})
    EXPECT_THAT(refusal(caps), HasSubstr("expected 'name=value'")) << caps;
  for (const char* caps : {"a/b, c=", "a/b, c=(int)", "a/b, c=,d=1", "a/b, c=;", "a/b, c=)"})
    EXPECT_THAT(refusal(caps), HasSubstr("field 'c' has no value")) << caps;
  for (const char* caps :
       {"a/b; c/d", "a/b c=1", "a/b, c=1 d=2", "a/b;;", "a/b, c=1]", "a/b, c=[1]]", "a/b, c=1\"2\""})
    EXPECT_THAT(refusal(caps), HasSubstr("one structure only")) << caps;
  EXPECT_THAT(refusal("a/b, c=1, d=2, c=1"), HasSubstr("field 'c' is there twice"));
}

TEST(Caps, AreRefusedWhenSomethingIsNeverClosed) {
  for (const char* caps :
       {"a/b(memory:X, c=1", "a/b, c=(int 1", "a/b, c=\"x", "a/b, c=\"x\\\"", "a/b, c=\"x\\", "a/b, c=[1,2",
        "a/b, c={ \"}\"", "a/b, c=< 1, { 2 >", "a/b, c=[", "a/b, c=[\"x"})
    EXPECT_THAT(refusal(caps), HasSubstr("is never closed")) << caps;
}

TEST(Caps, AreRefusedWithBytesThatAreNotPrintable) {
  for (const char byte : {'\n', '\t', '\x7f', '\x80', '\xff', '\x1b', '\0'}) {
    const std::string caps = std::string("a/b, c=\"x") + byte + "\"";
    EXPECT_THAT(refusal(caps), HasSubstr("character 10 is byte 0x"));
    for (const char c : refusal(caps)) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
}

TEST(Caps, AreBoundedInSize) {
  const std::string head = "video/x-h264, a=(string)";
  const std::string most = head + std::string(kMaxCapsBytes - head.size(), 'x');
  EXPECT_EQ(Format::from_caps(most).caps(), most);
  EXPECT_THAT(refusal(most + "x"), HasSubstr("it has 3073 bytes: the limit is 3072 without codec data"));
  EXPECT_THAT(refusal(std::string(1 << 20, 'x')), HasSubstr("the limit is 3072"));

  const std::string largest = ", codec_data=(buffer)" + std::string(2 * kMaxCodecDataBytes, 'a');
  EXPECT_EQ(Format::from_caps(most + largest).encoded()->codec_data.size(), kMaxCodecDataBytes);
  EXPECT_THAT(refusal("video/x-h264" + largest + "aa"),
              HasSubstr("field 'codec_data' holds 16385 bytes: the limit is 16384"));
  for (const char* bad : {"0", "0g", "g0", "0x01", "[ 1, 2 ]", "(string)00", "-1"})
    EXPECT_THAT(refusal(std::string("video/x-h264, codec_data=") + bad), HasSubstr("field 'codec_data'"))
        << bad;
}

TEST(Caps, DoNotMindDeepNesting) {
  const std::string deep = "a/b, c=" + std::string(1000, '{') + "1" + std::string(1000, '}');
  EXPECT_EQ(Format::from_caps(deep).caps(), deep);
}

TEST(Caps, AreQuotedShortAndPrintableInMessages) {
  const std::string message = refusal("video/x-raw, a=" + std::string(1000, 'a'));
  EXPECT_LT(message.size(), 200u);
  EXPECT_THAT(message, HasSubstr("aaa...'"));
  const std::string name(1000, 'a');
  EXPECT_LT(refusal("a/b, " + name + "=1, " + name + "=1").size(), 300u);
  EXPECT_LT(refusal("a/b, " + name + "=").size(), 300u);
  EXPECT_LT(refusal("video/x-raw, format=(" + name + ")NV12").size(), 400u);
  EXPECT_THAT(refusal("video/x-raw, format=NV12, width=(int)\"\\033[2J" + name + "\""),
              AllOf(HasSubstr("field 'width' is (int)?[2Jaaa"), ::testing::SizeIs(::testing::Lt(400u))));
}

}  // namespace
}  // namespace reel
