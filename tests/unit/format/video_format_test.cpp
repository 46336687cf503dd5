#include <reel/format/video_format.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/format/audio_format.hpp>

namespace reel {
namespace {

constexpr std::uint64_t kMost64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kMost32 = std::numeric_limits<std::uint32_t>::max();

TEST(PixelFormat, NamesLeadBackToTheirFormats) {
  EXPECT_EQ(all_pixel_formats().size(), 14u);
  for (const PixelFormat format : all_pixel_formats()) {
    EXPECT_EQ(pixel_format_from(to_string(format)), format);
    EXPECT_GE(plane_count(format), 1u);
    EXPECT_LE(plane_count(format), kMaxPlanes);
  }
}

TEST(PixelFormat, IsNothingForUnknownNamesAndNumbers) {
  EXPECT_EQ(pixel_format_from("nv12"), std::nullopt);
  EXPECT_EQ(pixel_format_from(""), std::nullopt);
  for (const std::uint32_t number : {0u, 15u, kMost32}) {
    EXPECT_EQ(to_string(static_cast<PixelFormat>(number)), "unknown");
    EXPECT_EQ(plane_count(static_cast<PixelFormat>(number)), 0u);
  }
}

TEST(SampleFormat, NamesLeadBackToTheirFormats) {
  for (const SampleFormat format : {SampleFormat::S16LE, SampleFormat::S32LE, SampleFormat::F32LE})
    EXPECT_EQ(sample_format_from(to_string(format)), format);
  EXPECT_EQ(sample_format_from("U8"), std::nullopt);
  EXPECT_EQ(to_string(static_cast<SampleFormat>(0)), "unknown");
  EXPECT_EQ(sample_bytes(static_cast<SampleFormat>(77)), 0u);
}

TEST(SampleFormat, CountsTheBytesOfAllChannels) {
  EXPECT_EQ(sample_frame_bytes({SampleFormat::S16LE, 48000, 2}), 4u);
  EXPECT_EQ(sample_frame_bytes({SampleFormat::F32LE, 48000, 6}), 24u);
}

TEST(DefaultLayout, IsTheKnownOneFor1080pNv12) {
  const VideoLayout layout = default_layout({PixelFormat::NV12, 1920, 1080, {}});
  ASSERT_EQ(layout.plane_count, 2u);
  EXPECT_EQ(layout.planes[0],
            (Plane{.offset_bytes = 0, .stride_bytes = 1920, .row_bytes = 1920, .rows = 1080}));
  EXPECT_EQ(layout.planes[1],
            (Plane{.offset_bytes = 1920 * 1080, .stride_bytes = 1920, .row_bytes = 1920, .rows = 540}));
  EXPECT_EQ(layout.bytes, 1920u * 1080u * 3u / 2u);
}

TEST(DefaultLayout, RoundsChromaUpWhenSizesAreOdd) {
  const VideoLayout layout = default_layout({PixelFormat::I420, 5, 3, {}});
  EXPECT_EQ(layout.planes[0], (Plane{.offset_bytes = 0, .stride_bytes = 8, .row_bytes = 5, .rows = 3}));
  EXPECT_EQ(layout.planes[1], (Plane{.offset_bytes = 32, .stride_bytes = 4, .row_bytes = 3, .rows = 2}));
  EXPECT_EQ(layout.planes[2], (Plane{.offset_bytes = 40, .stride_bytes = 4, .row_bytes = 3, .rows = 2}));
  EXPECT_EQ(layout.bytes, 48u);
}

TEST(DefaultLayout, HoldsTheLargestPicture) {
  for (const PixelFormat format : all_pixel_formats()) {
    const VideoFormat video{format, kMaxVideoSize, kMaxVideoSize, {}};
    const VideoLayout layout = default_layout(video);
    EXPECT_GE(layout.bytes, std::uint64_t{kMaxVideoSize} * kMaxVideoSize) << to_string(format);
    EXPECT_LE(layout.bytes, std::uint64_t{kMaxVideoSize} * kMaxVideoSize * 4) << to_string(format);
  }
}

TEST(DefaultLayout, NamesTheSizeThatIsOutOfRange) {
  const auto message_for = [](VideoFormat format) -> std::string {
    try {
      (void)default_layout(format);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_argument);
      return error.message();
    }
    return "no error";
  };
  EXPECT_EQ(message_for({PixelFormat::RGB, 0, 10, {}}),
            "video width is 0 pixels: it must be from 1 to 32768");
  EXPECT_EQ(message_for({PixelFormat::RGB, 10, 32769, {}}),
            "video height is 32769 pixels: it must be from 1 to 32768");
  EXPECT_EQ(message_for({static_cast<PixelFormat>(99), 10, 10, {}}),
            "pixel format number 99 is none of 1 to 14");
}

// The offsets and strides of a layout as they would come from a peer.
struct Given {
  explicit Given(const VideoLayout& layout) {
    for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
      offsets.push_back(layout.planes[i].offset_bytes);
      strides.push_back(layout.planes[i].stride_bytes);
    }
  }
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> strides;
};

TEST(CheckedLayout, AcceptsEveryDefaultLayout) {
  for (const PixelFormat pixel : all_pixel_formats()) {
    for (const std::uint32_t width : {1u, 2u, 3u, 17u, 640u, kMaxVideoSize}) {
      const VideoFormat format{pixel, width, 31, {}};
      const VideoLayout expected = default_layout(format);
      const Given given(expected);
      const auto layout = checked_layout(format, given.offsets, given.strides, expected.bytes);
      ASSERT_TRUE(layout) << to_string(pixel) << ' ' << width;
      EXPECT_EQ(layout->plane_count, expected.plane_count);
      EXPECT_EQ(layout->planes, expected.planes);
      EXPECT_LE(layout->bytes, expected.bytes);
    }
  }
}

TEST(CheckedLayout, NeedsTheLastRowButNotItsPadding) {
  const VideoFormat format{PixelFormat::GRAY8, 10, 4, {}};
  const std::uint64_t offset[] = {100};
  const std::uint32_t stride[] = {16};
  const auto padded = checked_layout(format, offset, stride, 100 + 4 * 16);
  ASSERT_TRUE(padded);
  EXPECT_EQ(padded->bytes, 100u + 4u * 16u);
  const auto unpadded = checked_layout(format, offset, stride, 100 + 3 * 16 + 10);
  ASSERT_TRUE(unpadded);
  EXPECT_EQ(unpadded->bytes, 100u + 3u * 16u + 10u);
  EXPECT_FALSE(checked_layout(format, offset, stride, 100 + 3 * 16 + 9));
}

TEST(CheckedLayout, RefusesStridesThatHoldNoRow) {
  const VideoFormat format{PixelFormat::RGB, 10, 4, {}};
  const std::uint64_t offset[] = {0};
  for (const std::uint32_t stride : {0u, 1u, 29u, kMost32, 1u << 31}) {
    const std::uint32_t strides[] = {stride};
    EXPECT_FALSE(checked_layout(format, offset, strides, kMost64)) << stride;
  }
  const std::uint32_t tight[] = {30};
  EXPECT_TRUE(checked_layout(format, offset, tight, 120));
}

TEST(CheckedLayout, RefusesOffsetsThatWouldOverflow) {
  const VideoFormat format{PixelFormat::I420, 64, 64, {}};
  const VideoLayout expected = default_layout(format);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    for (const std::uint64_t offset : {kMost64, kMost64 - 1, kMost64 - 64 * 64, expected.bytes,
                                       expected.bytes + 1, std::uint64_t{1} << 63}) {
      Given given(expected);
      given.offsets[plane] = offset;
      EXPECT_FALSE(checked_layout(format, given.offsets, given.strides, expected.bytes)) << offset;
    }
  }
}

TEST(CheckedLayout, DoesNotOverflowWithTheLargestStrides) {
  const VideoFormat format{PixelFormat::Y444, kMaxVideoSize, kMaxVideoSize, {}};
  const std::uint32_t most = std::numeric_limits<std::int32_t>::max();
  const std::vector<std::uint64_t> offsets{0, 0, 0};
  const std::vector<std::uint32_t> strides(3, most);
  EXPECT_FALSE(checked_layout(format, offsets, strides, kMost32));
  const auto layout = checked_layout(format, offsets, strides, kMost64);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->bytes, std::uint64_t{most} * kMaxVideoSize);
}

TEST(CheckedLayout, RefusesFormatsThatAreNone) {
  const std::uint64_t offsets[] = {0, 0, 0, 0};
  const std::uint32_t strides[] = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
  const auto check = [&](VideoFormat format) { return checked_layout(format, offsets, strides, kMost64); };
  EXPECT_TRUE(check({PixelFormat::RGB, 1, 1, {}}));
  EXPECT_FALSE(check({PixelFormat::RGB, 0, 1, {}}));
  EXPECT_FALSE(check({PixelFormat::RGB, 1, 0, {}}));
  EXPECT_FALSE(check({PixelFormat::RGB, kMaxVideoSize + 1, 1, {}}));
  EXPECT_FALSE(check({PixelFormat::RGB, 1, kMost32, {}}));
  EXPECT_FALSE(check({static_cast<PixelFormat>(0), 1, 1, {}}));
  EXPECT_FALSE(check({static_cast<PixelFormat>(kMost32), 1, 1, {}}));
}

TEST(CheckedLayout, RefusesTooFewPlanes) {
  const VideoFormat format{PixelFormat::I420, 2, 2, {}};
  const std::uint64_t offsets[] = {0, 8, 12};
  const std::uint32_t strides[] = {4, 4, 4};
  EXPECT_TRUE(checked_layout(format, offsets, strides, 100));
  EXPECT_FALSE(checked_layout(format, std::span(offsets).first(2), strides, 100));
  EXPECT_FALSE(checked_layout(format, offsets, std::span(strides).first(2), 100));
  EXPECT_FALSE(checked_layout(format, {}, {}, 100));
}

TEST(CheckedLayout, RefusesAnEmptyPayload) {
  const std::uint64_t offsets[] = {0};
  const std::uint32_t strides[] = {4};
  EXPECT_FALSE(checked_layout({PixelFormat::GRAY8, 1, 1, {}}, offsets, strides, 0));
}

}  // namespace
}  // namespace reel
