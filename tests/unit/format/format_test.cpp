#include <reel/format/format.hpp>

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(Format, IsOpaqueBytesByDefault) {
  const Format format;
  EXPECT_EQ(format.kind(), MediaKind::bytes);
  EXPECT_EQ(format.caps(), "application/octet-stream");
  EXPECT_EQ(format.video(), nullptr);
  EXPECT_EQ(format.audio(), nullptr);
  EXPECT_EQ(format.encoded(), nullptr);
  EXPECT_EQ(format.frame_bytes(), 0u);
}

TEST(Format, KnowsItsKindAndTheBytesOfAVideoFrame) {
  const Format video = VideoFormat{PixelFormat::BGR, 640, 480, {30, 1}};
  EXPECT_EQ(video.kind(), MediaKind::video);
  EXPECT_EQ(video.frame_bytes(), 640u * 480u * 3u);
  EXPECT_EQ(Format(AudioFormat{SampleFormat::S16LE, 48000, 2}).kind(), MediaKind::audio);
  EXPECT_EQ(Format(EncodedFormat{}).kind(), MediaKind::encoded);
  EXPECT_EQ(Format(EncodedFormat{}).frame_bytes(), 0u);
}

TEST(Format, WritesCapsAsGStreamerDoes) {
  EXPECT_EQ(Format(VideoFormat{PixelFormat::NV12, 1920, 1080, {30, 1}}).caps(),
            "video/x-raw, format=(string)NV12, width=(int)1920, height=(int)1080, framerate=(fraction)30/1");
  EXPECT_EQ(
      Format(AudioFormat{SampleFormat::F32LE, 44100, 2}).caps(),
      "audio/x-raw, format=(string)F32LE, layout=(string)interleaved, rate=(int)44100, channels=(int)2");
}

TEST(Format, KeepsCapsTextAsGivenButNotThatOfAnotherFormat) {
  const Format plain = VideoFormat{PixelFormat::RGB, 8, 8, {}};
  const Format with_text(plain, "video/x-raw, format=RGB, width=8, height=8, colorimetry=(string)sRGB");
  EXPECT_EQ(with_text.caps(), "video/x-raw, format=RGB, width=8, height=8, colorimetry=(string)sRGB");
  EXPECT_EQ(*with_text.video(), *plain.video());
  EXPECT_FALSE(with_text == plain);
}

TEST(Format, SaysHowCodecDataIsCarriedWithoutWritingIt) {
  EncodedFormat h264{.codec = Codec::h264, .width = 320, .height = 240, .fps = {25, 1}};
  EXPECT_EQ(Format(h264).caps(),
            "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au, width=(int)320, "
            "height=(int)240, framerate=(fraction)25/1");
  h264.codec_data.resize(4, std::byte{1});
  EXPECT_EQ(Format(h264).caps(),
            "video/x-h264, stream-format=(string)avc, alignment=(string)au, width=(int)320, "
            "height=(int)240, framerate=(fraction)25/1");
}

TEST(Format, NamesItsKindsAndCodecs) {
  EXPECT_EQ(to_string(MediaKind::encoded), "encoded");
  EXPECT_EQ(to_string(static_cast<MediaKind>(9)), "unknown");
  EXPECT_EQ(to_string(Codec::opus), "opus");
  EXPECT_EQ(to_string(static_cast<Codec>(0)), "unknown");
}

}  // namespace
}  // namespace reel
