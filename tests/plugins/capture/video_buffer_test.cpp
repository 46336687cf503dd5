// Buffers of every shape into slots: the pixels must come out the same.
#include <array>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include <reel_test/runtime_dir.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/frame_reader.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/video_buffer.hpp>

namespace {

using namespace reel;

constexpr std::uint32_t kWidth = 8, kHeight = 4;

struct Shape {
  std::array<gsize, 4> offsets{};
  std::array<gint, 4> strides{};
  gsize bytes = 0;
};

class VideoBuffers : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  VideoBuffers() { gst_video_info_set_format(&info_, GST_VIDEO_FORMAT_I420, kWidth, kHeight); }

  /// A buffer in which every byte is its own place, modulo 251.
  static gst::Ptr<GstBuffer> numbered(gsize bytes) {
    gst::Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, bytes, nullptr));
    std::vector<unsigned char> content(bytes);
    for (gsize i = 0; i < bytes; ++i) content[i] = static_cast<unsigned char>(i % 251);
    gst_buffer_fill(buffer.get(), 0, content.data(), bytes);
    return buffer;
  }
  static void add_meta(const gst::Ptr<GstBuffer>& buffer, Shape& shape) {
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, kWidth,
                                   kHeight, 3, shape.offsets.data(), shape.strides.data());
  }
  /// Publishes the buffer and expects the pixel (row, col) of each plane to be what `shape` says.
  Frame pass(GstBuffer* buffer) {
    const gst::VideoBuffer picture(buffer, info_, format_);
    Loan loan;
    EXPECT_EQ(writer_.acquire(loan, picture.bytes()), WriteStatus::ok);
    EXPECT_TRUE(picture.copy_to(loan));
    EXPECT_EQ(writer_.publish(std::move(loan), {}), WriteStatus::ok);
    Frame frame;
    EXPECT_EQ(to_string(reader_.read(frame, 60'000)), to_string(ReadStatus::frame));
    EXPECT_TRUE(frame.verified());
    return frame;
  }
  static void expect_pixels(const Frame& frame, const Shape& shape) {
    ASSERT_EQ(frame.plane_count(), 3U);
    for (std::uint32_t index = 0; index < 3; ++index) {
      const ConstPlaneView plane = frame.plane(index);
      ASSERT_EQ(plane.row_bytes, index == 0 ? kWidth : kWidth / 2);
      ASSERT_EQ(plane.rows, index == 0 ? kHeight : kHeight / 2);
      for (std::uint32_t row = 0; row < plane.rows; ++row)
        for (std::uint32_t col = 0; col < plane.row_bytes; ++col)
          ASSERT_EQ(std::to_integer<gsize>(plane.data[row * plane.stride_bytes + col]),
                    (shape.offsets[index] + row * static_cast<gsize>(shape.strides[index]) + col) % 251)
              << "plane " << index << " row " << row << " col " << col;
    }
  }

  reel_test::TempRuntimeDir directory_;
  Format format_{VideoFormat{PixelFormat::I420, kWidth, kHeight, {30, 1}}};
  GstVideoInfo info_{};
  std::string stream_ = reel_test::unique_name("pictures");
  FrameWriter writer_{stream_, format_};
  FrameReader reader_{stream_};
};

TEST_F(VideoBuffers, KeepTheStridesAndOffsetsOfADecodersPadding) {
  Shape shape{{64, 64 + 32 * 6, 64 + 32 * 6 + 16 * 3, 0}, {32, 16, 16, 0}, 64 + 32 * 6 + 16 * 3 * 2};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  add_meta(buffer, shape);
  const Frame frame = pass(buffer.get());
  expect_pixels(frame, shape);
  EXPECT_EQ(frame.plane(0).stride_bytes, 32U);
  EXPECT_EQ(frame.layout().planes[0].offset_bytes, 0U);  // what lies before the first plane is left behind
}

TEST_F(VideoBuffers, UseTheCapsLayoutWithoutAMeta) {
  const Shape shape{{0, 32, 40, 0}, {8, 4, 4, 0}, 48};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  expect_pixels(pass(buffer.get()), shape);
}

TEST_F(VideoBuffers, GatherPlanesThatLieInSeveralMemories) {
  Shape shape{{0, 64, 80, 0}, {16, 8, 8, 0}, 96};
  const gst::Ptr<GstBuffer> whole = numbered(shape.bytes);
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new());
  for (const auto& [offset, size] : {std::pair<gsize, gsize>{0, 64}, {64, 16}, {80, 16}})
    gst_buffer_append_memory(
        buffer.get(), gst_memory_copy(gst_buffer_peek_memory(whole.get(), 0), static_cast<gssize>(offset),
                                      static_cast<gssize>(size)));
  ASSERT_EQ(gst_buffer_n_memory(buffer.get()), 3U);
  add_meta(buffer, shape);
  const Frame frame = pass(buffer.get());
  expect_pixels(frame, shape);
  EXPECT_EQ(frame.data().size(), format_.frame_bytes());
}

TEST_F(VideoBuffers, ShowTheCroppedPart) {
  Shape shape{{0, 16 * 8, 16 * 8 + 8 * 4, 0}, {16, 8, 8, 0}, 16 * 8 + 8 * 4 * 2};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  add_meta(buffer, shape);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 4;
  crop->y = 2;
  crop->width = kWidth;
  crop->height = kHeight;
  shape.offsets = {2 * 16 + 4, 16 * 8 + 8 + 2, 16 * 8 + 8 * 4 + 8 + 2, 0};
  expect_pixels(pass(buffer.get()), shape);
}

TEST_F(VideoBuffers, KeepTheWholePictureBesideACropToAnotherSizeThanTheCaps) {
  const Shape shape{{0, 32, 40, 0}, {8, 4, 4, 0}, 48};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 2;
  crop->width = kWidth / 2;
  crop->height = kHeight;
  expect_pixels(pass(buffer.get()), shape);
}

TEST_F(VideoBuffers, TakeTheChromaOfTheFirstPixelWhereACropFallsBetweenSamples) {
  Shape shape{{0, 16 * 8, 16 * 8 + 8 * 4, 0}, {16, 8, 8, 0}, 16 * 8 + 8 * 4 * 2};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  add_meta(buffer, shape);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 5;
  crop->y = 3;
  crop->width = kWidth;
  crop->height = kHeight;
  shape.offsets = {3 * 16 + 5, 16 * 8 + 8 + 2, 16 * 8 + 8 * 4 + 8 + 2, 0};
  expect_pixels(pass(buffer.get()), shape);
}

TEST_F(VideoBuffers, CropWhatLiesInSeveralMemories) {
  Shape shape{{0, 16 * 8, 16 * 8 + 8 * 4, 0}, {16, 8, 8, 0}, 16 * 8 + 8 * 4 * 2};
  const gst::Ptr<GstBuffer> whole = numbered(shape.bytes);
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new());
  for (const auto& [offset, size] : {std::pair<gsize, gsize>{0, 128}, {128, 32}, {160, 32}})
    gst_buffer_append_memory(
        buffer.get(), gst_memory_copy(gst_buffer_peek_memory(whole.get(), 0), static_cast<gssize>(offset),
                                      static_cast<gssize>(size)));
  add_meta(buffer, shape);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 4;
  crop->y = 2;
  crop->width = kWidth;
  crop->height = kHeight;
  shape.offsets = {2 * 16 + 4, 16 * 8 + 8 + 2, 16 * 8 + 8 * 4 + 8 + 2, 0};
  expect_pixels(pass(buffer.get()), shape);
}

TEST_F(VideoBuffers, PairPixelsAnewWhereACropSplitsThemInYuy2) {
  // Y0 U Y1 V: the picture begins at the second Y of a pair.
  GstVideoInfo info{};
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_YUY2, 4, 1);
  const Format format(VideoFormat{PixelFormat::YUY2, 4, 1, {30, 1}});
  const gst::Ptr<GstBuffer> buffer = numbered(16);
  gsize offsets[4] = {};
  gint strides[4] = {16, 0, 0, 0};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_YUY2, 8, 1, 1,
                                 offsets, strides);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 1;
  crop->width = 4;
  crop->height = 1;
  writer_.set_format(format);
  const gst::VideoBuffer picture(buffer.get(), info, format);
  Loan loan;
  ASSERT_EQ(writer_.acquire(loan, picture.bytes()), WriteStatus::ok);
  ASSERT_TRUE(picture.copy_to(loan));
  const auto at = [&](std::size_t i) { return std::to_integer<int>(loan.data()[i]); };
  EXPECT_EQ((std::array{at(0), at(2), at(4), at(6)}), (std::array{2, 4, 6, 8})) << "luma: pixels 1 to 4";
  EXPECT_EQ((std::array{at(1), at(3), at(5), at(7)}), (std::array{1, 3, 5, 7})) << "chroma: pairs 0 and 1";
}

TEST_F(VideoBuffers, RefuseACropThatReachesBeyondTheBuffer) {
  Shape shape{{0, 32, 40, 0}, {8, 4, 4, 0}, 48};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  add_meta(buffer, shape);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 3;
  crop->y = 4'000'000;
  crop->width = kWidth;
  crop->height = kHeight;
  EXPECT_THROW(gst::VideoBuffer(buffer.get(), info_, format_), Error);
}

TEST_F(VideoBuffers, RefuseABufferThatIsTooSmall) {
  const gst::Ptr<GstBuffer> buffer = numbered(47);
  EXPECT_THROW(gst::VideoBuffer(buffer.get(), info_, format_), Error);
}

TEST_F(VideoBuffers, RefuseAMetaWhosePlanesLieOutside) {
  Shape shape{{0, 32, 4'000'000'000, 0}, {8, 4, 4, 0}, 48};
  const gst::Ptr<GstBuffer> buffer = numbered(shape.bytes);
  add_meta(buffer, shape);
  EXPECT_THROW(gst::VideoBuffer(buffer.get(), info_, format_), Error);
}

TEST_F(VideoBuffers, SayWhereTheirPlanesLieWhenMadeFromALayout) {
  const gst::Ptr<GstBuffer> buffer = numbered(48);
  gst::attach_layout(buffer.get(), *format_.video(), default_layout(*format_.video()));
  const auto run = gst::find_plane_run(buffer.get(), info_, *format_.video());
  ASSERT_TRUE(run);
  EXPECT_EQ(run->layout.planes, default_layout(*format_.video()).planes);
}

}  // namespace
