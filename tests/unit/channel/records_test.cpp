// What formats, segments and frames say of themselves, from a writer to its reader.
#include "channel_fixture.hpp"

namespace {

using channel_test::bytes;
using channel_test::kWatchdogMs;
using reel::ErrorCode;
using reel::Format;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::ReadStatus;
using reel::WriteStatus;
using reel_test::expect_error;

class Records : public channel_test::ChannelTest {
 protected:
  static Format vorbis(reel::StreamHeaders headers) {
    Format format = Format::from_caps("audio/x-vorbis, rate=(int)48000, channels=(int)2");
    format.set_stream_headers(std::move(headers));
    return format;
  }
  /// One frame through a stream of `format`.
  Frame pass(const Format& format, const reel::FrameInfo& info = {}) {
    FrameWriter writer(stream(), format);
    FrameReader reader(stream());
    EXPECT_EQ(writer.write(bytes(10, 1), info), WriteStatus::ok);
    Frame frame;
    EXPECT_EQ(to_string(reader.read(frame, kWatchdogMs)), to_string(ReadStatus::frame));
    return frame;
  }
};

TEST_F(Records, CarryStreamHeadersPacketByPacket) {
  const Format format = vorbis({bytes(30, 1), {}, bytes(6000, 3)});
  const Frame frame = pass(format);
  EXPECT_EQ(frame.format().stream_headers(), format.stream_headers());
  EXPECT_EQ(frame.format(), format);
}

TEST_F(Records, CarryCodecDataOfMediaThatReelDoesNotKnow) {
  Format format = Format::from_caps("video/x-av1, width=(int)64, height=(int)64");
  format.set_codec_data(bytes(20, 7));
  format.set_stream_headers({bytes(5, 1)});
  const Frame frame = pass(format);
  EXPECT_TRUE(std::ranges::equal(frame.format().codec_data(), bytes(20, 7)));
  EXPECT_EQ(frame.format().stream_headers(), reel::StreamHeaders{bytes(5, 1)});
}

TEST_F(Records, TellFormatsApartThatDifferInTheirStreamHeadersAlone) {
  EXPECT_NE(vorbis({bytes(30, 1)}), vorbis({bytes(30, 2)}));
  FrameWriter writer(stream(), vorbis({bytes(30, 1)}));
  FrameReader reader(stream());
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  writer.set_format(vorbis({bytes(30, 2)}));
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  Frame first, second;
  ASSERT_EQ(reader.read(first, kWatchdogMs), ReadStatus::frame);
  ASSERT_EQ(reader.read(second, kWatchdogMs), ReadStatus::frame);
  EXPECT_NE(first.format(), second.format());
}

TEST_F(Records, RefuseStreamHeadersThatDoNotFitAndNameTheLimit) {
  expect_error(ErrorCode::bad_argument, {"stream headers", "16388", "16384"},
               [&] { FrameWriter writer(stream(), vorbis({bytes(reel::kMaxCodecDataBytes, 1)})); });
}

TEST_F(Records, CarryBothOffsetsAndEveryFlag) {
  reel::FrameInfo info;
  info.offset = 11;
  info.offset_end = 1035;
  info.flags = reel::kMarker | reel::kResync | reel::kNothingNew | reel::kDecodeOnly | 0xA5C0'0000u;
  const Frame frame = pass(Format(), info);
  EXPECT_EQ(frame.info().offset, 11U);
  EXPECT_EQ(frame.info().offset_end, 1035U);
  EXPECT_EQ(frame.info().flags, info.flags);
}

TEST_F(Records, HaveNoEndOffsetUnlessTheSourceGaveOne) {
  EXPECT_EQ(pass(Format()).info().offset_end, ~std::uint64_t{0});
}

TEST_F(Records, CarryTheAppliedRateAndRefuseNone) {
  FrameWriter writer(stream(), Format());
  FrameReader reader(stream());
  expect_error(ErrorCode::bad_argument, {"applied rate"}, [&] { writer.set_segment({.applied_rate = 0}); });
  writer.set_segment({.rate = 1.0, .applied_rate = -2.0});
  ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  ASSERT_NE(frame.segment(), nullptr);
  EXPECT_EQ(frame.segment()->applied_rate, -2.0);
}

}  // namespace
