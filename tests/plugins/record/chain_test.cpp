// Frames in, units out: as many, at the same times, with every codec.
#include <gmock/gmock.h>

#include <reel/gst/caps.hpp>
#include <reel_test/expect_error.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::CodingWish;
using record::Container;
using record::Piece;
using record::Unit;

class Chain : public ::testing::Test {
 protected:
  void SetUp() override { begin_gstreamer(); }
};

std::vector<Unit> encode_pictures(const std::string& codec, const reel::Format& format, int count,
                                  std::int64_t step_ns) {
  CodingWish wish;
  wish.codec = codec;
  return encode(format, wish, pictures(format, count, step_ns, 7 * kSecond));
}

std::vector<Unit> encode_sound(const std::string& codec, const reel::Format& format, int count) {
  CodingWish wish;
  wish.audio_codec = codec;
  return encode(format, wish, sound(format, count, 7 * kSecond, 8 * kSecond));
}

TEST_F(Chain, MakesOneUnitOfEachPictureAtItsTime) {
  for (const char* codec : {"h264", "h265", "mjpeg", "ffv1", "raw"}) {
    SCOPED_TRACE(codec);
    const auto units = encode_pictures(codec, picture_format(), 35, 100 * kMs);
    ASSERT_EQ(units.size(), 35U);
    for (std::size_t i = 0; i < units.size(); ++i) {
      EXPECT_EQ(units[i].time_ns, 7 * kSecond + static_cast<std::int64_t>(i) * 100 * kMs);
      EXPECT_EQ(units[i].decode_ns, units[i].time_ns);
      EXPECT_EQ(units[i].frame, i);
      EXPECT_EQ(record::codec_of(units[i].caps.get()), codec);
    }
  }
}

TEST_F(Chain, KeyFramesComeByTimeWhateverTheRate) {
  for (const char* codec : {"h264", "h265"}) {
    for (const std::int64_t step_ns : {100 * kMs, 20 * kMs}) {
      SCOPED_TRACE(codec);
      const auto units = encode_pictures(codec, picture_format(), 120, step_ns);
      std::int64_t last_ns = 7 * kSecond;
      ASSERT_TRUE(units.at(0).key);
      for (const Unit& unit : units) {
        EXPECT_LE(unit.time_ns - last_ns, kSecond);
        if (unit.key) last_ns = unit.time_ns;
      }
    }
  }
}

// Asked for a key frame before its first picture, an encoder of GStreamer's would never make one again.
TEST_F(Chain, KeyFramesComeWhereTheSecondPictureIsLate) {
  for (const char* codec : {"h264", "h265"}) {
    SCOPED_TRACE(codec);
    const auto units = encode_pictures(codec, picture_format(), 30, 2 * kSecond);
    ASSERT_EQ(units.size(), 30U);
    for (std::size_t i = 10; i < units.size(); ++i) EXPECT_TRUE(units[i].key) << i;
  }
}

TEST_F(Chain, TakesOddSizesAndEveryPixelFormat) {
  for (const char* codec : {"h264", "h265", "mjpeg", "ffv1"}) {
    for (const reel::PixelFormat pixel : reel::all_pixel_formats()) {
      SCOPED_TRACE(std::string(codec) + " " + std::string(to_string(pixel)));
      EXPECT_EQ(encode_pictures(codec, picture_format(161, 121, pixel), 3, 40 * kMs).size(), 3U);
    }
  }
}

TEST_F(Chain, CoversAllSamplesOfSound) {
  for (const char* codec : {"aac", "opus", "flac", "pcm"}) {
    for (const std::uint32_t rate : {48'000U, 44'100U, 8'000U}) {
      SCOPED_TRACE(std::string(codec) + " " + std::to_string(rate));
      const auto units = encode_sound(codec, sound_format(rate, 2), 107);
      ASSERT_FALSE(units.empty());
      EXPECT_LE(units.front().time_ns, 7 * kSecond);
      EXPECT_GE(units.back().time_ns + units.back().duration_ns, 7 * kSecond + 107 * 20 * kMs - kMs);
      for (std::size_t i = 1; i < units.size(); ++i)
        EXPECT_NEAR(static_cast<double>(units[i].time_ns),
                    static_cast<double>(units[i - 1].time_ns + units[i - 1].duration_ns), 1e6);
    }
  }
}

TEST_F(Chain, PlacesSoundAfterAPauseWhereItWas) {
  for (const char* codec : {"aac", "opus", "flac", "pcm"}) {
    SCOPED_TRACE(codec);
    CodingWish wish;
    wish.audio_codec = codec;
    auto pieces = sound(sound_format(), 100, 0, 0);
    for (std::size_t i = 50; i < pieces.size(); ++i) pieces[i].time_ns += 5 * kSecond;
    pieces[50].discont = true;
    const auto units = encode(sound_format(), wish, pieces);
    EXPECT_GE(units.back().time_ns + units.back().duration_ns, 7 * kSecond);
    EXPECT_LE(units.back().time_ns, 7 * kSecond);
    EXPECT_TRUE(std::any_of(units.begin(), units.end(), [](const Unit& unit) { return unit.discont; }));
  }
}

TEST_F(Chain, PassesEncodedUnitsThroughUnchanged) {
  for (const char* codec : {"h264", "h265", "mjpeg"}) {
    SCOPED_TRACE(codec);
    const auto encoded = encode_pictures(codec, picture_format(), 20, 100 * kMs);
    std::vector<Piece> pieces;
    for (const Unit& unit : encoded) {
      Piece piece;
      piece.buffer = unit.buffer;
      piece.time_ns = unit.time_ns + kSecond;
      piece.key = unit.key;
      piece.frame = unit.frame;
      pieces.push_back(piece);
    }
    const reel::gst::Ptr<GstCaps> caps(gst_caps_copy(encoded[0].caps.get()));
    const auto passed = encode(reel::gst::format_from_caps(caps.get()), {}, pieces);
    ASSERT_EQ(passed.size(), encoded.size());
    for (std::size_t i = 0; i < passed.size(); ++i) {
      EXPECT_EQ(passed[i].time_ns, encoded[i].time_ns + kSecond);
      EXPECT_EQ(passed[i].key, encoded[i].key);
      EXPECT_EQ(passed[i].bytes(), encoded[i].bytes());
    }
  }
}

TEST_F(Chain, SaysWhichPackageAndWhichCodecs) {
  CodingWish wish;
  wish.codec = "h266";
  reel_test::expect_error(reel::ErrorCode::bad_config, {"h266", "h264, h265, mjpeg, ffv1, raw"},
                          [&] { check_wish(wish, Container::matroska); });
  wish.codec = "ffv1";
  reel_test::expect_error(reel::ErrorCode::bad_config, {"ffv1", "MP4", "h264, h265"},
                          [&] { check_wish(wish, Container::mp4); });
  wish.codec = "h264";
  wish.quality = 101;
  reel_test::expect_error(reel::ErrorCode::bad_config, {"quality", "101", "1 to 100"},
                          [&] { check_wish(wish, Container::matroska); });
}

/// GStreamer without an element, as where its package is not installed.
class Without {
 public:
  explicit Without(const std::vector<std::string>& elements) {
    for (const std::string& element : elements)
      if (GstPluginFeature* feature = gst_registry_lookup_feature(gst_registry_get(), element.c_str())) {
        features_.push_back(feature);
        gst_registry_remove_feature(gst_registry_get(), feature);
      }
  }
  Without(const Without&) = delete;
  Without& operator=(const Without&) = delete;
  ~Without() {
    for (GstPluginFeature* feature : features_) {
      gst_registry_add_feature(gst_registry_get(), feature);
      gst_object_unref(feature);
    }
  }

 private:
  std::vector<GstPluginFeature*> features_;
};

TEST_F(Chain, NamesAnEncoderThatIsMissingAndItsPackage) {
  struct Missing {
    const char* codec;
    bool video;
    std::vector<std::string> elements;
    const char* named;
    const char* package;
  };
  const std::vector<Missing> all{
      {"h264",
       true,
       {"vah264enc", "vaapih264enc", "v4l2h264enc", "x264enc"},
       "x264enc",
       "gstreamer1.0-plugins-ugly"},
      {"h265", true, {"x265enc"}, "x265enc", "gstreamer1.0-plugins-bad"},
      {"mjpeg", true, {"jpegenc"}, "jpegenc", "gstreamer1.0-plugins-good"},
      {"ffv1", true, {"avenc_ffv1"}, "avenc_ffv1", "gstreamer1.0-libav"},
      {"aac", false, {"avenc_aac", "fdkaacenc", "voaacenc"}, "avenc_aac", "gstreamer1.0-libav"},
      {"opus", false, {"opusenc"}, "opusenc", "gstreamer1.0-plugins-base"},
      {"flac", false, {"flacenc"}, "flacenc", "gstreamer1.0-plugins-good"}};
  for (const Missing& missing : all) {
    SCOPED_TRACE(missing.codec);
    const Without without(missing.elements);
    CodingWish wish;
    (missing.video ? wish.codec : wish.audio_codec) = missing.codec;
    reel_test::expect_error(reel::ErrorCode::unsupported,
                            {missing.codec, missing.named, missing.package, "another codec"},
                            [&] { check_wish(wish, Container::matroska); });
    const reel::Format format = missing.video ? picture_format() : sound_format();
    reel_test::expect_error(reel::ErrorCode::unsupported, {"door", missing.named}, [&] {
      static_cast<void>(choose_coding(format, wish, Container::matroska, "door"));
    });
  }
}

TEST_F(Chain, RefusesWhatIsNeitherPictureNorSound) {
  reel_test::expect_error(reel::ErrorCode::bad_config, {"door", "application/x-thing"}, [] {
    static_cast<void>(
        choose_coding(reel::Format::from_caps("application/x-thing"), {}, Container::matroska, "door"));
  });
}

TEST_F(Chain, FailsWithTheEncodersReason) {
  const reel::Format format = picture_format();
  record::Chain::Settings settings;
  settings.format = format;
  settings.coding.codec = "h264";
  settings.coding.video = true;
  settings.coding.launch = "capsfilter caps=video/x-bayer";
  settings.where = "door";
  record::Chain chain(std::move(settings));
  const auto pieces = pictures(format, 1, kSecond);
  reel_test::expect_error(reel::ErrorCode::io, {"door", "h264"}, [&] {
    for (int i = 0; i < 100; ++i) chain.push(pieces[0]);
  });
}

}  // namespace
