// What devices are asked for, and what is refused: no device is needed for that.
#include <map>

#include <backoff.hpp>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <options.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/scratch_dir.hpp>
#include <screen_source.hpp>
#include <v4l2_source.hpp>

namespace capture_test {
namespace {

using namespace capture;
using reel::ErrorCode;
using reel_test::expect_error;

reel::Options options(const std::map<std::string, std::string>& texts) {
  return reel::Options(kOptions, reel_test::options(texts), "/");
}

Wanted wanted(std::initializer_list<Media> outputs) {
  Wanted all;
  for (const Media media : outputs) all.outputs[media] = true;
  return all;
}

class V4l2Options : public ::testing::Test {
 protected:
  void SetUp() override { gst_init(nullptr, nullptr); }
};

TEST_F(V4l2Options, AskForNothingWhereNothingIsGiven) {
  const V4l2Source camera(options({{"uri", "v4l2:///dev/video0"}}));
  EXPECT_EQ(camera.caps(wanted({Media::video})), "video/x-raw");
  EXPECT_EQ(camera.caps(wanted({Media::video_encoded})), "image/jpeg");
  EXPECT_TRUE(camera.is_camera());
}

TEST_F(V4l2Options, AskForAFormatASizeARateAndControls) {
  const V4l2Source camera(options({{"uri", "v4l2:///dev/video0"},
                                   {"camera_format", "MJPG"},
                                   {"width", "1920"},
                                   {"height", "1080"},
                                   {"fps", "30000/1001"},
                                   {"controls", "brightness=128,exposure_auto=-1"}}));
  EXPECT_EQ(camera.caps(wanted({Media::video})), "image/jpeg, width=1920, height=1080, framerate=30000/1001");
  const auto& controls = camera.controls();
  ASSERT_EQ(controls.size(), 2U);
  EXPECT_EQ(controls[0], (std::pair<std::string, std::int32_t>("brightness", 128)));
  EXPECT_EQ(controls[1], (std::pair<std::string, std::int32_t>("exposure_auto", -1)));
}

TEST_F(V4l2Options, GoToTheElementThatReadsTheDevice) {
  const V4l2Source camera(options({{"uri", "v4l2:///dev/video7"}, {"controls", "gain=3"}}));
  const reel::gst::Ptr<GstElement> bin = camera.make_element(wanted({Media::video}));
  GstIterator* const elements = gst_bin_iterate_sources(GST_BIN(bin.get()));
  GValue value = G_VALUE_INIT;
  ASSERT_EQ(gst_iterator_next(elements, &value), GST_ITERATOR_OK);
  gchar* device = nullptr;
  GstStructure* controls = nullptr;
  g_object_get(g_value_get_object(&value), "device", &device, "extra-controls", &controls, nullptr);
  EXPECT_STREQ(device, "/dev/video7");
  gint gain = 0;
  ASSERT_NE(controls, nullptr);
  EXPECT_TRUE(gst_structure_get_int(controls, "gain", &gain));
  EXPECT_EQ(gain, 3);
  gst_structure_free(controls);
  g_free(device);
  g_value_unset(&value);
  gst_iterator_free(elements);
}

TEST_F(V4l2Options, ThatAreNoneOfACamerasAreRefused) {
  const auto refused = [](std::initializer_list<std::string> words,
                          const std::map<std::string, std::string>& texts) {
    expect_error(ErrorCode::bad_config, words, [&] { V4l2Source camera(options(texts)); });
  };
  refused({"v4l2:///dev/video0"}, {{"uri", "v4l2://video0"}});
  refused({"brightness", "NAME=NUMBER"}, {{"uri", "v4l2:///dev/video0"}, {"controls", "brightness"}});
  refused({"gain=x", "NAME=NUMBER"}, {{"uri", "v4l2:///dev/video0"}, {"controls", "gain=x"}});
  refused({"fps", "0"}, {{"uri", "v4l2:///dev/video0"}, {"fps", "0"}});
}

TEST_F(V4l2Options, DeviceThatIsNotThereIsNamedWithHowToFindOthers) {
  const V4l2Source camera(options({{"uri", "v4l2:///dev/video_nowhere"}}));
  expect_error(ErrorCode::not_found, {"/dev/video_nowhere", "is not there", "`reel doctor`"},
               [&] { camera.check(); });
  const reel_test::ScratchDir scratch;
  const V4l2Source file(options({{"uri", "v4l2://" + scratch.write("file", "x")}}));
  expect_error(ErrorCode::bad_config, {"is no device"}, [&] { file.check(); });
}

TEST(Region, IsASizeAndAPlace) {
  const Region region = parse_region("640x480+100+50");
  EXPECT_EQ(region.width, 640U);
  EXPECT_EQ(region.height, 480U);
  EXPECT_EQ(region.x, 100U);
  EXPECT_EQ(region.y, 50U);
  EXPECT_EQ(parse_region("").width, 0U);
  for (const char* text :
       {"640", "640x480", "640x480+1", "0x480+0+0", "640x480+1+2+3", "640x480-1-2", "99999x1+0+0"})
    expect_error(ErrorCode::bad_config, {text, "WIDTHxHEIGHT+X+Y"},
                 [&] { static_cast<void>(parse_region(text)); });
}

TEST(Backoff, DoublesGiveOrTakeAQuarterUpToItsMost) {
  Backoff backoff(100, 1'000, 7);
  for (const std::int64_t middle : {100, 200, 400, 800}) {
    const std::int64_t delay = backoff.next_ms();
    EXPECT_GE(delay, middle * 3 / 4);
    EXPECT_LE(delay, middle * 5 / 4);
  }
  for (int i = 0; i < 20; ++i) {
    const std::int64_t delay = backoff.next_ms();
    EXPECT_GE(delay, 750);
    EXPECT_LE(delay, 1'000);
  }
  backoff.reset();
  EXPECT_LE(backoff.next_ms(), 125);
}

TEST(Backoff, IsNotTheSameForEverybody) {
  Backoff one(100'000, 100'000, 1), other(100'000, 100'000, 2);
  EXPECT_NE(one.next_ms(), other.next_ms());
}

}  // namespace
}  // namespace capture_test
