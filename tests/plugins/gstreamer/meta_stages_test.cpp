// Side data of Reel's stages through GStreamer elements of another process, and back.
#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/gst/pointers.hpp>

#include "pipelines.hpp"
#include "side_data.hpp"

namespace gstreamer_test {
namespace {

using namespace reel;

class Stages : public ::testing::Test {
 protected:
  void SetUp() override {
    REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
    set_up();
  }
  Stages() : made_(std::as_writable_bytes(std::span(place_))) {
    Detection face;
    face.set_label("face");
    face.score = 0.123456789F;
    face.x = 20.3F;
    face.y = 10.7F;
    face.width = 40.1F;
    face.height = 20.2F;
    face.track_id = 5;
    EXPECT_TRUE(made_.add_detections("opencv.faces", std::array{face}));
    EXPECT_TRUE(made_.add_motion("opencv.motion", {.score = 0.25F}));
    EXPECT_TRUE(made_.add_json("someone", R"({"a": [1, 2]})"));
  }
  /// A frame with that side data through "reelsrc ! ELEMENTS ! reelsink".
  Frame through(const std::string& elements) {
    const std::string out = stream_ + "-out";
    reader_ = std::make_unique<FrameReader>(out, ReaderOptions{.policy = Policy::lossless});
    auto child = launch("reelsrc is-live=false policy=lossless stream=" + stream_ + " ! " + elements +
                        " ! reelsink sync=false wait-for-readers=1 stream=" + out);
    FrameWriter writer(stream_, VideoFormat{PixelFormat::I420, 160, 120, {30, 1}});
    EXPECT_TRUE(reel_test::wait_until([&] { return writer.readers().size() == 1; }));
    const std::vector<std::byte> picture(160 * 120 * 3 / 2, std::byte{90});
    EXPECT_EQ(writer.write(picture, {.pts_ns = 0, .duration_ns = 33'333'333}, made_.view()), WriteStatus::ok);
    writer.end();
    Frame frame;
    EXPECT_EQ(to_string(reader_->read(frame, 60'000)), to_string(ReadStatus::frame));
    EXPECT_TRUE(child.wait().ok()) << child.errors();
    return frame;
  }
  static std::optional<SideDataView::Entry> entry(const SideDataView& view, std::string_view name) {
    for (const SideDataView::Entry& one : view) {
      if (one.name == name) return one;
    }
    return std::nullopt;
  }

  reel_test::TempRuntimeDir runtime_;
  const std::string stream_ = reel_test::unique_name("stages");
  std::vector<std::uint64_t> place_ = std::vector<std::uint64_t>(256);
  SideDataWriter made_;
  std::unique_ptr<FrameReader> reader_;
};

TEST_F(Stages, FindWhatTheyFoundBehindElementsThatConvert) {
  const Frame frame = through("videoconvert ! video/x-raw,format=BGR");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame.format().video()->pixel, PixelFormat::BGR);
  for (const SideDataView::Entry& before : made_.view()) {
    const auto after = entry(frame.side_data(), before.name);
    ASSERT_TRUE(after) << before.name;
    EXPECT_EQ(after->type, before.type);
    EXPECT_TRUE(std::ranges::equal(after->data, before.data)) << before.name;
  }
}

TEST_F(Stages, FindTheirBoxesWhereElementsThatScaleHaveMovedThem) {
  const Frame frame = through("videoscale ! video/x-raw,width=320,height=240");
  ASSERT_TRUE(frame);
  const auto faces = entry(frame.side_data(), "opencv.faces");
  ASSERT_TRUE(faces);
  const auto detections = SideDataView::detections(*faces);
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_EQ(detections[0].label_text(), "face");
  EXPECT_EQ(detections[0].score, 0.123456789F);
  EXPECT_EQ(detections[0].track_id, 5U);
  EXPECT_EQ(detections[0].x, 40) << "twice 20";
  EXPECT_EQ(detections[0].y, 22) << "twice 11";
  EXPECT_EQ(detections[0].width, 80);
  EXPECT_EQ(detections[0].height, 40);
}

TEST_F(Stages, PassOnCustomMetasThatTheirProcessHasNotRegistered) {
  SideDataWriter other(std::as_writable_bytes(std::span(place_)));
  const std::string_view text = "SomebodysMeta, a=(int)5;";
  ASSERT_TRUE(other.add_bytes("gst.custom-meta", std::as_bytes(std::span(text))));
  const gst::Ptr<GstBuffer> buffer(gst_buffer_new());
  gst::attach_side_data(buffer.get(), Format(), kNoTime, other.view());
  std::vector<std::uint64_t> place(64);
  SideDataWriter again(std::as_writable_bytes(std::span(place)));
  gst::LostMetas lost;
  gst::collect_side_data(buffer.get(), Format(), again, lost);
  EXPECT_EQ(lost.total(), 0U);
  const auto back = entry(again.view(), "gst.custom-meta");
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::ranges::equal(back->data, std::as_bytes(std::span(text))));
}

}  // namespace
}  // namespace gstreamer_test
