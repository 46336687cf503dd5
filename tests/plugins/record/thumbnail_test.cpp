// Pictures of recordings as JPEGs.
#include <gmock/gmock.h>

#include <media/thumbnail.hpp>
#include <reel/gst/caps.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::Container;

class Thumbnail : public ::testing::Test {
 protected:
  void SetUp() override { begin_gstreamer(); }
  reel_test::ScratchDir dir_;
};

struct Shape {
  int width = 0;
  int height = 0;
};

// ITU T.81, B.2.2: a frame header (SOF0) has height and width.
Shape shape_of(const std::vector<std::byte>& jpeg) {
  const auto at = [&](std::size_t place) { return std::to_integer<int>(jpeg.at(place)); };
  if (jpeg.size() < 4 || at(0) != 0xFF || at(1) != 0xD8) return {};
  for (std::size_t place = 2; place + 9 < jpeg.size();
       place += 2 + static_cast<std::size_t>(at(place + 2) * 256 + at(place + 3)))
    if (at(place + 1) == 0xC0)
      return {at(place + 7) * 256 + at(place + 8), at(place + 5) * 256 + at(place + 6)};
  return {};
}

TEST_F(Thumbnail, IsOfRawPicturesAndKeyUnits) {
  const reel::Format format = picture_format(640, 480, reel::PixelFormat::NV12);
  const auto pieces = pictures(format, 1, kSecond);
  const Shape raw =
      shape_of(record::jpeg_of(reel::gst::caps_from_format(format).get(), pieces[0].buffer.get()));
  EXPECT_EQ(raw.width, 320);
  EXPECT_EQ(raw.height, 240);
  for (const char* codec : {"h264", "h265", "mjpeg", "ffv1"}) {
    SCOPED_TRACE(codec);
    record::CodingWish wish;
    wish.codec = codec;
    const auto units = encode(format, wish, pieces);
    const Shape shape = shape_of(record::jpeg_of(units.at(0).caps.get(), units[0].buffer.get(), {1000, 50}));
    EXPECT_EQ(shape.width, 640);
    EXPECT_EQ(shape.height, 480);
  }
}

TEST_F(Thumbnail, IsThePictureOfItsTime) {
  const auto pieces = pictures(picture_format(), 30, 100 * kMs);
  write_file(dir_.file("a.mkv"), Container::matroska, 1, encode(picture_format(), {}, pieces));
  const auto first = record::thumbnail(dir_.file("a.mkv"), 0);
  const auto fifteenth = record::thumbnail(dir_.file("a.mkv"), 1550 * kMs);
  const auto last = record::thumbnail(dir_.file("a.mkv"), 100 * kSecond);
  EXPECT_EQ(shape_of(first).width, 160);
  EXPECT_NE(first, fifteenth);
  EXPECT_NE(fifteenth, last);
  EXPECT_EQ(fifteenth, record::thumbnail(dir_.file("a.mkv"), 1500 * kMs));
  EXPECT_NE(fifteenth, record::thumbnail(dir_.file("a.mkv"), 1600 * kMs));
}

TEST_F(Thumbnail, SaysThatThereIsNone) {
  write_file(dir_.file("a.mkv"), Container::matroska, 1,
             encode(sound_format(), {}, sound(sound_format(), 50, 0, 0)));
  reel_test::expect_error(reel::ErrorCode::not_found, {"a.mkv", "no pictures"},
                          [&] { static_cast<void>(record::thumbnail(dir_.file("a.mkv"), 0)); });
  const auto units = encode(picture_format(), {}, pictures(picture_format(), 1, kSecond));
  const reel::gst::Ptr<GstBuffer> garbage(gst_buffer_new_memdup("xxxxxxxxxxxxxxxx", 16));
  reel_test::expect_error(reel::ErrorCode::protocol, {"cannot be decoded"},
                          [&] { static_cast<void>(record::jpeg_of(units.at(0).caps.get(), garbage.get())); });
}

}  // namespace
