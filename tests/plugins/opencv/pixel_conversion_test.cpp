// reel/channel/opencv_convert.hpp against the definition of each format, written out here pixel by pixel.
#include "filter_fixture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace {

using namespace reel;

std::uint8_t clamped(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

// BT.601, video range (ITU-R BT.601-7): Y, U, V in; B, G, R out.
cv::Vec3b bgr_of_yuv(int y, int u, int v) {
  const double luma = 255.0 / 219 * (y - 16), blue = 255.0 / 224 * 1.772 * (u - 128),
               red = 255.0 / 224 * 1.402 * (v - 128);
  return {clamped(luma + blue), clamped(luma - 0.114 / 0.587 * blue - 0.299 / 0.587 * red),
          clamped(luma + red)};
}

// Smooth enough that no rounding is magnified, different in every channel.
std::uint8_t sample(int channel, int x, int y) {
  return static_cast<std::uint8_t>(60 + (x * (3 + channel) + y * (5 - channel) + channel * 17) % 120);
}

int chroma_columns(PixelFormat pixel) {
  return opencv_detail::halves_chroma(pixel) || opencv_detail::packed_422(pixel) ? 2 : 1;
}
int chroma_rows(PixelFormat pixel) {
  return opencv_detail::halves_chroma(pixel) ? 2 : 1;
}

// A picture whose rows are further apart than they need and whose planes lie in reverse order with gaps
// between.
struct RawPicture {
  VideoFormat format;
  VideoLayout layout;
  std::vector<std::byte> bytes;

  RawPicture(PixelFormat pixel, std::uint32_t width, std::uint32_t height)
      : format{pixel, width, height, {}} {
    const VideoLayout tight = default_layout(format);
    std::array<std::uint64_t, kMaxPlanes> offsets{};
    std::array<std::uint32_t, kMaxPlanes> strides{};
    std::uint64_t end = 24;
    for (std::uint32_t plane = tight.plane_count; plane-- > 0;) {
      strides[plane] = tight.planes[plane].stride_bytes + 12;
      offsets[plane] = end;
      end += std::uint64_t{strides[plane]} * tight.planes[plane].rows + 40;
    }
    bytes.assign(end, std::byte{0xA5});
    layout = checked_layout(format, std::span(offsets).first(tight.plane_count),
                            std::span(strides).first(tight.plane_count), end)
                 .value();
  }
  std::uint8_t* at(std::uint32_t plane, int row, int byte) {
    const Plane& place = layout.planes[plane];
    return reinterpret_cast<std::uint8_t*>(bytes.data()) + place.offset_bytes +
           std::uint64_t{place.stride_bytes} * static_cast<unsigned>(row) + static_cast<unsigned>(byte);
  }
};

// Writes the pixel at x, y and returns what it is in BGR. Chroma is taken from the first pixel that shares
// it.
cv::Vec3b set_pixel(RawPicture& raw, int x, int y) {
  const PixelFormat pixel = raw.format.pixel;
  const int cx = x / chroma_columns(pixel), cy = y / chroma_rows(pixel);
  const std::uint8_t luma = sample(0, x, y), u = sample(1, cx, cy), v = sample(2, cx, cy);
  const std::uint8_t r = sample(0, x, y), g = sample(1, x, y), b = sample(2, x, y);
  const auto set = [&](std::uint32_t plane, int row, int byte, std::uint8_t value) {
    *raw.at(plane, row, byte) = value;
  };
  const auto set_rgb = [&](int bytes, int red, int blue) {
    set(0, y, x * bytes + red, r);
    set(0, y, x * bytes + 1, g);
    set(0, y, x * bytes + blue, b);
    return cv::Vec3b(b, g, r);
  };
  switch (pixel) {
    case PixelFormat::I420:
    case PixelFormat::Y444: set(0, y, x, luma), set(1, cy, cx, u), set(2, cy, cx, v); break;
    case PixelFormat::NV12: set(0, y, x, luma), set(1, cy, 2 * cx, u), set(1, cy, 2 * cx + 1, v); break;
    case PixelFormat::NV21: set(0, y, x, luma), set(1, cy, 2 * cx, v), set(1, cy, 2 * cx + 1, u); break;
    case PixelFormat::YUY2: set(0, y, 2 * x, luma), set(0, y, 4 * cx + 1, u), set(0, y, 4 * cx + 3, v); break;
    case PixelFormat::UYVY: set(0, y, 2 * x + 1, luma), set(0, y, 4 * cx, u), set(0, y, 4 * cx + 2, v); break;
    case PixelFormat::RGB: return set_rgb(3, 0, 2);
    case PixelFormat::BGR: return set_rgb(3, 2, 0);
    case PixelFormat::RGBx:
    case PixelFormat::RGBA: return set_rgb(4, 0, 2);
    case PixelFormat::BGRx:
    case PixelFormat::BGRA: return set_rgb(4, 2, 0);
    case PixelFormat::GRAY8: set(0, y, x, luma); return {luma, luma, luma};
    case PixelFormat::GRAY16_LE: {
      set(0, y, 2 * x, luma), set(0, y, 2 * x + 1, luma);  // 257 times an 8-bit value
      return {luma, luma, luma};
    }
  }
  return bgr_of_yuv(luma, u, v);
}

bool is_yuv(PixelFormat pixel) {
  return pixel <= PixelFormat::UYVY || pixel == PixelFormat::Y444;
}

class PixelConversion : public ::testing::TestWithParam<PixelFormat> {};

TEST_P(PixelConversion, ReadsEveryPixelWhateverSizeStrideAndPlaneOrder) {
  for (const auto& [width, height] : {std::pair{34U, 18U}, {33U, 17U}, {1U, 1U}, {2U, 3U}, {7U, 2U}}) {
    RawPicture raw(GetParam(), width, height);
    cv::Mat expected(static_cast<int>(height), static_cast<int>(width), CV_8UC3), bgr;
    for (int y = 0; y < expected.rows; ++y)
      for (int x = 0; x < expected.cols; ++x) expected.at<cv::Vec3b>(y, x) = set_pixel(raw, x, y);
    to_bgr(raw.format, raw.layout, raw.bytes, bgr);
    ASSERT_EQ(bgr.size(), expected.size());
    EXPECT_LE(cv::norm(bgr, expected, cv::NORM_INF), is_yuv(GetParam()) ? 2 : 0) << width << " x " << height;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, PixelConversion,
                         ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

class PictureThroughStream : public ::testing::TestWithParam<PixelFormat> {};

TEST_P(PictureThroughStream, ComesBackAsItWasWritten) {
  const reel_test::TempRuntimeDir directory;
  const std::string name = reel_test::unique_name("picture");
  for (const auto& [width, height] : {std::pair{64U, 48U}, {33U, 17U}}) {
    // One colour: nothing is lost by shared chroma. Grey formats keep grey alone.
    const bool grey = GetParam() == PixelFormat::GRAY8 || GetParam() == PixelFormat::GRAY16_LE;
    const cv::Mat picture(static_cast<int>(height), static_cast<int>(width), CV_8UC3,
                          grey ? cv::Scalar(91, 91, 91) : cv::Scalar(40, 120, 200));
    FrameWriter writer(name, VideoFormat{GetParam(), width, height, {}});
    FrameReader reader(name);
    Loan loan;
    ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
    from_bgr(picture, loan);
    ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok);
    Frame frame;
    ASSERT_EQ(reader.read(frame, 60'000), ReadStatus::frame);
    EXPECT_TRUE(frame.verified());
    const cv::Mat back = to_bgr(frame);
    ASSERT_EQ(back.size(), picture.size());
    EXPECT_LE(cv::norm(back, picture, cv::NORM_INF), is_yuv(GetParam()) ? 3 : 0);
    frame.release();
    writer.end();
  }
}

TEST_P(PictureThroughStream, IsRefusedInAnotherSize) {
  const reel_test::TempRuntimeDir directory;
  FrameWriter writer(reel_test::unique_name("picture"), VideoFormat{GetParam(), 64, 48, {}});
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  EXPECT_THROW(from_bgr(cv::Mat(48, 62, CV_8UC3), loan), Error);
  EXPECT_THROW(from_bgr(cv::Mat(48, 64, CV_8UC4), loan), Error);
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, PictureThroughStream,
                         ::testing::ValuesIn(all_pixel_formats().begin(), all_pixel_formats().end()),
                         pixel_name);

}  // namespace
